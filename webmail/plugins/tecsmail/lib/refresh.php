<?php
// SPDX-License-Identifier: ISC
/**
 * A look for new mail finds it by what the session remembers of the folder. Roundcube's first
 * requests run side by side, and the one that ends last can write the session without that: what
 * came meanwhile would stay unseen until the next mail.
 */
class tecsmail_refresh
{
    /** Hook check_recent: nothing remembered means that the list is sent anew. */
    public static function check_recent(array $args): array
    {
        $folder = rcmail::get_instance()->get_storage()->get_folder();

        if (!isset($_SESSION['folders'][$folder]['maxuid'])) {
            // "Something was deleted" redraws the list, and no new mail is announced.
            $_SESSION['folders'][$folder] = ['cnt' => PHP_INT_MAX, 'maxuid' => PHP_INT_MAX];
        }
        return $args;
    }
}
