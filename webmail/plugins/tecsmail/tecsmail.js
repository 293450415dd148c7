// SPDX-License-Identifier: ISC
// The transport seal in lists and mails.
window.rcmail && (function () {
	function open(seal) {
		var table = $('<table class="tecsmail-facts">');
		$.each(seal.rows, function (_, row) {
			$('<tr>').append($('<th>').text(row[0]), $('<td>').text(row[1])).appendTo(table);
		});
		rcmail.alert_dialog($('<div>').append($('<p>').addClass('tecsmail-seal ' + seal.seal).text(seal.title), table), null,
			{ title: rcmail.gettext('tecsmail.seal') });
	}

	rcmail.addEventListener('insertrow', function (event) {
		var message = event.uid && rcmail.env.messages && rcmail.env.messages[event.uid];
		var seal = message && message.flags && message.flags.tecsmail_seal;
		if (!seal)
			return;
		var tr = $(event.row.obj || event.row), place = tr.find('span.fromto');
		$('<a href="#seal" class="tecsmail-seal" tabindex="-1">').addClass(seal.seal).attr({ title: seal.title, 'aria-label': seal.title })
			.on('mousedown touchstart dblclick', function (e) { e.stopPropagation(); })
			.on('click', function (e) { e.stopPropagation(); open(seal); return false; })
			.prependTo(place.length ? place.first() : tr.find('td.subject'));
	});
	rcmail.addEventListener('init', function () {
		$('#tecsmail-seal').on('click', function () {
			open(rcmail.env.tecsmail_seal);
			return false;
		});
	});
})();
