// SPDX-License-Identifier: ISC
// The page of the password plugin: what the server thinks of what is being typed.
window.rcmail && rcmail.addEventListener('init', function () {
	var field = $('#newpasswd'), timer;
	if (!field.length)
		return;

	var bar = $('<div class="tecsmail-bar" aria-hidden="true"><i></i><i></i><i></i><i></i></div>');
	var text = $('<div id="tecsmail-advice" role="status"></div>');
	var box = $('<div id="tecsmail-strength" hidden></div>').append(bar, text).insertAfter(field);
	field.attr('aria-describedby', 'tecsmail-advice ruleslist');

	field.on('input', function () {
		clearTimeout(timer);
		if (this.value)
			timer = setTimeout(ask, 250);
		else
			box.prop('hidden', true);
	});
	function ask() {
		rcmail.http_post('plugin.tecsmail-judge', { _new: field.val() });
	}
	rcmail.addEventListener('plugin.tecsmail_judged', function (judged) {
		if (!field.val())
			return;
		box.prop('hidden', false).attr('class', judged.fits ? 'score' + judged.score : 'refused');
		text.text((judged.fits && judged.score < 4 ? rcmail.gettext('tecsmail.strength_' + judged.score) + '. ' : '') + judged.text);
	});
});
