// SPDX-License-Identifier: ISC
// Composing: what mail to each recipient's domain may expect. Nothing waits for it.
window.rcmail && (function () {
	var LOOK_MS = 400, STILL_MS = 800, AGAIN_MS = 1500, TIMES = 4, MOST = 20;
	var known = {}, asked = {}, last = '', since = 0;

	function domains() {
		var text = $.map($('#_to, #_cc, #_bcc, #compose-headers .recipient-input input'), function (field) { return field.value || ''; }).join(',');
		var found = {};
		text.replace(/@([^\s@,;<>"()]+\.[^\s@,;<>"().]{2,})/g, function (_, domain) { found[domain.toLowerCase()] = true; });
		return Object.keys(found).slice(0, MOST);
	}

	function ask(list, first) {
		if (list.length || first)
			rcmail.http_post('plugin.tecsmail-expect', { _domains: list.join(',') });
	}

	function draw() {
		var only = $('#tecsmail-send').prop('checked');
		var list = $('#tecsmail-expect'), items = $.map(domains(), function (domain) {
			var e = known[domain];
			if (!e || (e.level === 'unknown' && e.pending))
				return null;
			var text = e.text + (only && e.level === 'plain' ? '; ' + rcmail.gettext('tecsmail.expect_back') : '');
			return $('<li>').addClass(e.level).append($('<bdi>').text(domain), document.createTextNode(': ' + text));
		});
		if (list.text() !== $('<ul>').append(items).text())
			list.empty().append(items);
	}

	function look() {
		var list = domains(), now = Date.now(), text = list.join(',');
		if (text !== last) {
			last = text;
			since = now;
			draw();
		}
		if (now - since < STILL_MS)
			return; // he is typing
		ask($.grep(list, function (domain) {
			if (asked[domain])
				return false;
			return asked[domain] = 1;
		}));
	}

	rcmail.addEventListener('plugin.tecsmail_expect', function (answer) {
		var again = [];
		if (answer.all) // his account has it for all mails, so this one cannot be without
			$('#tecsmail-send').prop({ checked: true, disabled: true }).next('label').attr('title', rcmail.gettext('tecsmail.send_encrypted_all'));
		$.each(answer.domains, function (_, e) {
			known[e.domain] = e;
			if (e.pending && asked[e.domain]++ < TIMES)
				again.push(e.domain);
			else
				e.pending = false;
		});
		draw();
		if (again.length)
			setTimeout(function () { ask(again); }, AGAIN_MS);
	});
	rcmail.addEventListener('init', function () {
		$('#tecsmail-compose').appendTo('#compose-headers');
		$('#tecsmail-send').on('change', draw);
		ask([], true);
		setInterval(look, LOOK_MS);
	});
})();
