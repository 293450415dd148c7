<?php
// SPDX-License-Identifier: ISC
/**
 * Driver of Roundcube's password plugin: plugins/password/drivers/tecsmail.php leads here.
 *
 * The server has the rule and judges; nothing is decided here. Its sentences come in German and
 * English, the rest is in localization/.
 */
class rcube_tecsmail_password
{
    /** The rule, beside the form. Inserted as HTML. */
    public function strength_rules(): array
    {
        // How long at least is configured at the server: its word to one that is surely too short.
        $short = tecsmail_server::ask('judge', ['user' => rcmail::get_instance()->get_user_name(), 'new' => 'a']);
        $rules = [tecsmail_server::text($short['reason'] ?? null), self::t('rule_characters'), self::t('rule_mix')];
        return array_map([rcube::class, 'Q'], array_filter($rules, 'strlen'));
    }

    /** @return string|null why not */
    public function compare($current, $new, $type): ?string
    {
        if ($type == PASSWORD_COMPARE_NEW) {
            return $current === $new ? self::t('same') : null;
        }
        if (hash_equals((string) $current, (string) $new)) {
            return null; // save() proves it to the server
        }
        // Not this session's password. The server has to see it: guesses at an open tab count.
        $answer = tecsmail_server::ask('apps/list', ['user' => rcmail::get_instance()->get_user_name(),
            'password' => $new, 'addr' => rcube_utils::remote_addr()]);
        return $answer['result'] == 'ok' ? null : rcube::Q(self::why($answer));
    }

    public function save($current, $new, $user)
    {
        $answer = tecsmail_server::ask('password', ['user' => $user, 'password' => $current, 'new' => $new,
            'addr' => rcube_utils::remote_addr()]);
        if ($answer['result'] == 'ok') {
            return PASSWORD_SUCCESS;
        }
        $rc = rcmail::get_instance();
        $rc->load_language(null, [], ['password.passwdconstraintviolation' => self::t('not_changed')]);
        return ['code' => PASSWORD_CONSTRAINT_VIOLATION, 'message' => self::why($answer)];
    }

    private static function why(array $answer): string
    {
        $texts = [];
        foreach (['reason', 'closed'] as $key) {
            $texts[] = tecsmail_server::text($answer[$key] ?? null);
        }
        return trim(implode(' ', $texts)) ?: self::t('again');
    }

    private static function t(string $name): string
    {
        return rcmail::get_instance()->gettext($name, 'tecsmail');
    }
}
