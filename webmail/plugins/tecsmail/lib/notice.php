<?php
// SPDX-License-Identifier: ISC
/**
 * What the operator says of the service (tecsmail service), where its users see it: at the door,
 * and above the list of mails, for as long as he says it.
 */
class tecsmail_notice
{
    /** Hooks template_object_loginform and template_object_messages */
    public static function above(array $args): array
    {
        $answer = tecsmail_server::ask('service', []);
        $notice = tecsmail_server::text($answer['notice'] ?? null);

        if ($notice !== '') {
            $args['content'] = html::div(['class' => 'boxwarning tecsmail-notice', 'role' => 'status'], rcube::Q($notice))
                . $args['content'];
        }
        return $args;
    }
}
