<?php
// SPDX-License-Identifier: ISC
// database.php DIR - makes the database of the instance in DIR, or brings it to what the Roundcube
// that is installed wants. Run by prepare, as PHP's user.
define('INSTALL_PATH', $argv[1] . '/roundcube/');
require INSTALL_PATH . 'program/include/clisetup.php';

ob_start(); // what is done, step by step: shown only if it did not work
if (!rcmail_utils::db()->list_tables()) {
    rcmail_utils::db_init(INSTALL_PATH . 'SQL');
}
$good = rcmail_utils::db_update(INSTALL_PATH . 'SQL', 'roundcube', null, ['errors' => true]);
$told = ob_get_clean();
if (!$good) {
    fwrite(STDERR, "the webmail's database: $told\n");
    exit(1);
}
