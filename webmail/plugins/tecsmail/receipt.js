// SPDX-License-Identifier: ISC
// Receipts of a mail that is on its way: asked for again, until nothing more is to come soon.
window.rcmail && (function () {
	var EVERY_MS = 4000, left = 20;

	function again() {
		if (left-- > 0)
			setTimeout(function () { rcmail.http_post('plugin.tecsmail-receipt', { _id: rcmail.env.tecsmail_receipt }); }, EVERY_MS);
	}

	rcmail.addEventListener('plugin.tecsmail_receipt', function (answer) {
		var place = $('#tecsmail-receipts');
		if (answer.html && !place.find('details[open]').length) // nobody reads in it
			place.html(answer.html);
		if (answer.open || !answer.html)
			again();
	});
	rcmail.addEventListener('init', function () {
		if (rcmail.env.tecsmail_receipt)
			again();
	});
})();
