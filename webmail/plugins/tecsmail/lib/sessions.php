<?php
// SPDX-License-Identifier: ISC
/**
 * The open sessions of the webmail that a user has, in Roundcube's own table.
 */
class tecsmail_sessions
{
    /** @return array  ip, since and changed (seconds since 1970, 0: not known), own: this one; the latest first */
    public static function of(int $user): array
    {
        $found = [];
        foreach (self::rows($user) as $row) {
            $found[] = ['ip' => $row['ip'], 'since' => (int) ($row['vars']['login_time'] ?? 0),
                'changed' => (int) strtotime($row['changed']), 'own' => $row['sess_id'] === session_id()];
        }
        return $found;
    }

    public static function end_others(int $user): void
    {
        $session = rcmail::get_instance()->session;
        foreach (self::rows($user) as $row) {
            if ($row['sess_id'] !== session_id()) {
                $session->destroy($row['sess_id']);
            }
        }
    }

    private static function rows(int $user): array
    {
        $rc = rcmail::get_instance();
        $db = $rc->get_dbh();
        $life = (int) $rc->config->get('session_lifetime') * 60;
        $result = $db->query('SELECT `sess_id`, `ip`, `changed`, `vars` FROM ' . $db->table_name('session', true)
            . ' WHERE `changed` > ' . $db->now(-$life) . ' ORDER BY `changed` DESC');
        $rows = [];
        while ($result && ($row = $db->fetch_assoc($result))) {
            $vars = rcube_session::unserialize((string) base64_decode($row['vars']));
            if (is_array($vars) && (int) ($vars['user_id'] ?? 0) === $user) {
                $rows[] = ['vars' => $vars] + $row;
            }
        }
        return $rows;
    }
}
