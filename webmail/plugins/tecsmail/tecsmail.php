<?php
// SPDX-License-Identifier: ISC
/**
 * tecsmail - Roundcube as the webmail of our server.
 *
 * Each subject has a file in lib/; this one says what is hooked to what. It changes nothing of
 * Roundcube itself and keeps no data: what it shows comes from the server.
 */
foreach (['account', 'compose', 'door', 'guarantee', 'notice', 'password', 'receipt', 'received', 'refresh', 'seal', 'server',
    'sessions'] as $subject) {
    require_once __DIR__ . "/lib/$subject.php";
}

class tecsmail extends rcube_plugin
{
    public function init()
    {
        $rc = rcmail::get_instance();
        $this->add_texts('localization/');

        $door = new tecsmail_door($this);
        $this->add_hook('storage_connect', [$door, 'connect']);
        $this->add_hook('template_object_loginform', [$door, 'login_form']);

        foreach (['loginform', 'messages'] as $place) {
            $this->add_hook("template_object_$place", [tecsmail_notice::class, 'above']);
        }

        $seal = new tecsmail_seal($this);
        $this->add_hook('storage_init', [$seal, 'fetch']);
        $this->add_hook('messages_list', [$seal, 'rows']);
        $this->add_hook('message_load', [$seal, 'message']);
        $this->add_hook('check_recent', [tecsmail_refresh::class, 'check_recent']);

        if ($rc->output instanceof rcmail_output_html) {
            $this->include_stylesheet('tecsmail.css');
            if ($rc->task === 'mail') {
                $this->include_script('tecsmail.js');
                $this->include_script('receipt.js');
                $rc->output->add_label('tecsmail.seal');
            }
        }
        if ($rc->task === 'mail') {
            new tecsmail_receipt($this);
            new tecsmail_compose($this);
        }
        if ($rc->task === 'settings') {
            new tecsmail_password($this);
            new tecsmail_account($this);
        }
    }
}
