<?php
// SPDX-License-Identifier: ISC
/**
 * How Roundcube comes in at the server: whose browser it speaks for is said before the login, and
 * what the server answers to a login is told to the user in his language.
 */
class tecsmail_door
{
    private $plugin;
    private $closed; // the sentence of a lockout, or a locked account, that this request ran into

    public function __construct(rcube_plugin $plugin)
    {
        $this->plugin = $plugin;
    }

    /**
     * Hook storage_connect: before each attempt to connect. Whoever asks for a retry is called
     * once more, with attempt 2, but only if the first one failed: the place to see why.
     */
    public function connect(array $args): array
    {
        $rc = rcmail::get_instance();

        if ($args['attempt'] == 1) {
            // No connection options: with them PHP takes the port for a part of the path.
            $args['host'] = 'unix://' . $rc->config->get('tecsmail_imap');
            $args['port'] = -1;
            $args['ssl_mode'] = null;
            unset($args['socket_options']);
            $args['preauth_ident'] = ['name' => 'Roundcube', 'x-originating-ip' => rcube_utils::remote_addr()];
            $args['retry'] = true;
            return $args;
        }
        $args['retry'] = false;
        $conn = $rc->get_storage()->conn;

        if ($closed = self::parse_closed((string) $conn->error)) {
            $this->tell_closed($closed);
        }
        else if ($why = self::parse_refused((string) $conn->resultcode, (string) $conn->error)) {
            $this->tell($why[tecsmail_server::language()]);
        }
        else if (!empty($_SESSION['user_id']) && $conn->resultcode === 'AUTHENTICATIONFAILED') {
            $this->end_session();
        }
        return $args;
    }

    /**
     * "... Zugang gesperrt bis 14:35 Uhr CET: 5 falsche Passwoerter / closed for your address until
     * 14:35 CET: 5 wrong passwords": the server's line is ASCII and in both languages.
     *
     * @return array|null  'de' and 'en', each [until, why]
     */
    public static function parse_closed(string $line): ?array
    {
        if (!preg_match('~Zugang gesperrt bis (.{5,40}?): (.{1,80}?) / closed for your address until (.{5,40}?): (.{1,80})$~',
                trim($line), $m)) {
            return null;
        }
        return [
            'de' => [preg_replace('~ Uhr \S+$~', ' Uhr', $m[1]), str_replace('woerter', 'wörter', $m[2])],
            'en' => [$m[3], $m[4]],
        ];
    }

    /**
     * "NO [CONTACTADMIN] Ihr Konto ist gesperrt / Your account is locked: the operator's words": the
     * password was right, so its owner may know why he does not come in.
     *
     * @return array|null  'de' and 'en', a sentence each
     */
    public static function parse_refused(string $code, string $line): ?array
    {
        if ($code !== 'CONTACTADMIN' ||
            !preg_match('~(Ihr Konto ist [^/]{1,80}?) / (Your account [^:/]{1,80})(: .{1,300})?$~', trim($line), $m)) {
            return null;
        }
        return ['de' => $m[1] . ($m[3] ?? '.'), 'en' => $m[2] . ($m[3] ?? '.')];
    }

    /** Hook template_object_loginform: the message of the page goes after some seconds, this one stays. */
    public function login_form(array $args): array
    {
        if ($this->closed) {
            $args['content'] = html::div(['class' => 'boxerror', 'role' => 'alert', 'id' => 'tecsmail-closed'],
                rcube::Q($this->closed)) . $args['content'];
        }
        return $args;
    }

    /** Roundcube looks its sentences up only now: ours takes their place. */
    private function tell_closed(array $closed): void
    {
        [$until, $why] = $closed[tecsmail_server::language()];
        $this->tell($this->plugin->gettext(['name' => 'closed', 'vars' => ['until' => $until, 'why' => $why]]));
    }

    private function tell(string $sentence): void
    {
        $this->closed = $sentence;
        $html = rcube::Q($sentence); // messages are HTML
        rcmail::get_instance()->load_language(null, [], ['loginfailed' => $html, 'storageerror' => $html]);
    }

    /**
     * The password was changed elsewhere. A tab that goes on asking would fail each minute, and
     * lock its owner out: it ends at the first refusal.
     */
    private function end_session(): void
    {
        $rc = rcmail::get_instance();
        $rc->kill_session();

        if ($rc->output->ajax_call || !empty($_REQUEST['_framed'])) {
            $rc->output->command('session_error', $rc->url(['_err' => 'session']));
            $rc->output->send('iframe');
        }
        $rc->output->redirect(['_task' => 'login', '_err' => 'session']);
    }
}
