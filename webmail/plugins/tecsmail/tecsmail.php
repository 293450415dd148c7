<?php
// SPDX-License-Identifier: ISC
/**
 * tecsmail - Roundcube as the webmail of our server.
 *
 * Each subject has a file in lib/; this one says what is hooked to what. It changes nothing of
 * Roundcube itself and keeps no data: what it shows comes from the server.
 */
require_once __DIR__ . '/lib/server.php';
require_once __DIR__ . '/lib/door.php';
require_once __DIR__ . '/lib/refresh.php';

class tecsmail extends rcube_plugin
{
    public function init()
    {
        $this->add_texts('localization/');
        $door = new tecsmail_door($this);
        $this->add_hook('storage_connect', [$door, 'connect']);
        $this->add_hook('template_object_loginform', [$door, 'login_form']);
        $this->add_hook('check_recent', [tecsmail_refresh::class, 'check_recent']);
    }
}
