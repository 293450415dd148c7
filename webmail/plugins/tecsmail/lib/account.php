<?php
// SPDX-License-Identifier: ISC
/**
 * Settings: what belongs to the account at the server. App passwords (made, named, shown once,
 * withdrawn), the guarantees of its mails, the last logins, and the open sessions of the webmail, which all can be ended.
 */
class tecsmail_account
{
    private const PAGE = 'plugin.tecsmail-account', CHANGE = 'plugin.tecsmail-account-do';
    private const PROTOCOLS = ['imap' => 'IMAP', 'pop3' => 'POP3', 'submission' => 'SMTP'];

    private $plugin, $rc;
    private $made; // [name, password] of an app password, for this one page

    public function __construct(rcube_plugin $plugin)
    {
        $this->plugin = $plugin;
        $this->rc = rcmail::get_instance();
        $plugin->add_hook('settings_actions', [$this, 'tab']);
        $plugin->register_action(self::PAGE, [$this, 'page']);
        $plugin->register_action(self::CHANGE, [$this, 'change']);
    }

    /** Hook settings_actions */
    public function tab(array $args): array
    {
        $args['actions'][] = ['action' => self::PAGE, 'class' => 'tecsmail-account', 'label' => 'account',
            'title' => 'account_title', 'domain' => 'tecsmail'];
        return $args;
    }

    /** Action: the page. */
    public function page(): void
    {
        $this->plugin->register_handler('plugin.body', [$this, 'body']);
        $this->rc->output->set_pagetitle($this->t('account_title'));
        $this->rc->overwrite_action(self::PAGE);
        $this->rc->output->send('plugin');
    }

    /** Action: one of its forms. A change is never asked for by GET, whose requests bear no token. */
    public function change(): void
    {
        $do = $_SERVER['REQUEST_METHOD'] === 'POST' ? self::posted('_do') : '';
        $name = self::posted('_name');

        switch ($do) {
        case 'add':
            $chosen = array_intersect(array_keys(self::PROTOCOLS), (array) ($_POST['_protocols'] ?? []));
            $answer = $this->ask('apps/add', ['name' => $name, 'protocols' => implode(',', $chosen)]);
            if ($answer['result'] === 'ok') {
                $this->made = [$name, $answer['password']];
            }
            $this->tell($answer, 'app_made');
            break;
        case 'delete':
            $this->tell($this->ask('apps/delete', ['name' => $name]), 'app_withdrawn');
            break;
        case 'guarantee':
            $this->tell($this->ask('guarantees/set', tecsmail_guarantee::chosen($_POST)), 'guarantee_saved');
            break;
        case 'logout':
            tecsmail_sessions::end_others($this->rc->user->ID);
            $this->tell($this->ask('logout'), 'logged_out_elsewhere');
            break;
        }
        $this->page();
    }

    /** Handler plugin.body */
    public function body(): string
    {
        $apps = $this->ask('apps/list');
        $body = html::tag('h2', [], $this->q('apps')) . html::p([], $this->q('apps_hint'));

        if ($apps['result'] !== 'ok') {
            return $this->frame($body . html::div(['class' => 'boxwarning'], rcube::Q($this->why($apps))));
        }
        return $this->frame($this->made_box() . $body . $this->apps($apps['apps']) . $this->add_form()
            . html::tag('h2', [], $this->q('guarantee')) . $this->guarantee()
            . html::tag('h2', [], $this->q('sessions')) . html::p([], $this->q('sessions_hint')) . $this->sessions()
            . html::tag('h2', [], $this->q('logins')) . $this->logins());
    }

    private function frame(string $content): string
    {
        return html::div(['id' => 'prefs-title', 'class' => 'boxtitle'], $this->q('account_title'))
            . html::div(['class' => 'box formcontainer scroller'], html::div(['class' => 'tecsmail-page'], $content));
    }

    private function made_box(): string
    {
        if (!$this->made) {
            return '';
        }
        return html::div(['class' => 'boxinformation', 'role' => 'status'],
            rcube::Q($this->plugin->gettext(['name' => 'app_shown_once', 'vars' => ['name' => $this->made[0]]]))
            . html::div(['id' => 'tecsmail-secret'], rcube::Q($this->made[1])));
    }

    private function apps(array $apps): string
    {
        if (!$apps) {
            return html::p([], $this->q('apps_none'));
        }
        $table = new html_table(['cols' => 5, 'id' => 'tecsmail-apps']);
        foreach (['app_name', 'app_for', 'app_created', 'app_used', ''] as $label) {
            $table->add_header([], $label ? $this->q($label) : '');
        }
        foreach ($apps as $app) {
            $table->add([], rcube::Q($app['name']));
            $table->add([], rcube::Q(implode(', ', array_map([self::class, 'protocol'], $app['protocols']))));
            $table->add([], $this->time($app['created']));
            $table->add([], $app['used'] ? $this->time($app['used']) : $this->q('never'));
            $table->add([], $this->form('delete', self::hidden('_name', $app['name'])
                . $this->button('app_withdraw', 'btn btn-sm btn-danger delete'), 'inline'));
        }
        return $this->wide($table, 'apps');
    }

    private function add_form(): string
    {
        $fields = html::label('tecsmail-name', $this->q('app_new'))
            . html::tag('input', ['type' => 'text', 'name' => '_name', 'id' => 'tecsmail-name', 'maxlength' => 64,
                'required' => true, 'class' => 'form-control', 'placeholder' => $this->t('app_example')], null,
                ['type', 'name', 'id', 'maxlength', 'required', 'class', 'placeholder']);
        foreach (self::PROTOCOLS as $word => $text) {
            $fields .= html::label([], html::tag('input', ['type' => 'checkbox', 'name' => '_protocols[]', 'value' => $word,
                'checked' => true], null, ['type', 'name', 'value', 'checked']) . ' ' . $text);
        }
        return $this->form('add', html::div(['class' => 'fields'], $fields . $this->button('app_make', 'btn btn-primary create')),
            'add');
    }

    private function guarantee(): string
    {
        $answer = $this->ask('guarantees');
        if ($answer['result'] !== 'ok') {
            return html::p([], rcube::Q($this->why($answer)));
        }
        return $this->form('guarantee', (new tecsmail_guarantee($this->plugin))->fields($answer)
            . $this->button('guarantee_save', 'btn btn-primary submit'), 'guarantee');
    }

    private function sessions(): string
    {
        $table = new html_table(['cols' => 4, 'id' => 'tecsmail-sessions']);
        foreach (['session_of', 'login_address', 'session_since', 'session_active'] as $label) {
            $table->add_header([], $this->q($label));
        }
        $add = function (string ...$cells) use ($table) {
            foreach ($cells as $cell) {
                $table->add([], $cell);
            }
        };
        foreach (tecsmail_sessions::of($this->rc->user->ID) as $session) {
            $add('Webmail' . ($session['own'] ? ' (' . $this->q('session_own') . ')' : ''), rcube::Q($session['ip']),
                $session['since'] ? $this->time($session['since']) : '', $this->time($session['changed']));
        }
        foreach ($this->ask('sessions')['sessions'] ?? [] as $session) {
            if (substr($session['protocol'], -9) !== '_internal') { // those are the webmail's own
                $add(rcube::Q(self::protocol(rtrim($session['protocol'], 's'))), rcube::Q($session['address']),
                    $this->time($session['since']), '');
            }
        }
        return $this->wide($table, 'sessions')
            . $this->form('logout', $this->button('log_out_elsewhere', 'btn btn-secondary logout'), 'logout');
    }

    private function logins(): string
    {
        $answer = $this->ask('logins');
        if ($answer['result'] !== 'ok') {
            return html::p([], rcube::Q($this->why($answer)));
        }
        $table = new html_table(['cols' => 5, 'id' => 'tecsmail-logins']);
        foreach (['login_time', 'login_address', 'login_protocol', 'login_by', 'login_result'] as $label) {
            $table->add_header([], $this->q($label));
        }
        foreach ($answer['logins'] as $login) {
            $table->add_row(['class' => $login['good'] ? 'good' : 'bad']);
            $table->add([], $this->time($login['last']));
            $table->add([], rcube::Q($login['address']));
            $table->add([], $this->where($login['protocol']));
            $table->add([], rcube::Q($this->program($login)));
            $table->add([], $this->q("result_$login[result]") . ($login['count'] > 1 ? " ($login[count]×)" : ''));
        }
        return $this->wide($table, 'logins');
    }

    /** A protocol, or what an owner asked for on a page. */
    private function where(string $protocol): string
    {
        $page = 'page_' . str_replace(' ', '_', $protocol);
        return $this->rc->text_exists($page, 'tecsmail') ? $this->q($page) : rcube::Q(self::protocol($protocol));
    }

    private function program(array $login): string
    {
        $by = strncmp($login['by'], 'app:', 4) ? '' : substr($login['by'], 4);
        return implode(', ', array_filter([$by, $login['program']], 'strlen'));
    }

    // --- small things ---

    /** A table that may be wider than the page: whoever has no mouse gets to it too, and scrolls. */
    private function wide(html_table $table, string $label): string
    {
        return html::div(['class' => 'wide', 'role' => 'region', 'tabindex' => '0', 'aria-label' => $this->t($label)],
            $table->show());
    }

    /**
     * Asks with the password of this session. If that is not the account's own (but one of an app),
     * this is found out once: each time would count as a wrong password.
     */
    private function ask(string $path, array $fields = []): array
    {
        if (!empty($_SESSION['tecsmail_not_main'])) {
            return ['result' => 'not_main'];
        }
        $answer = tecsmail_server::ask_own($path, $fields);
        if ($answer['result'] === 'denied') {
            $_SESSION['tecsmail_not_main'] = true;
            return ['result' => 'not_main'];
        }
        return $answer;
    }

    private function tell(array $answer, string $done): void
    {
        $good = $answer['result'] === 'ok';
        $this->rc->output->show_message(rcube::Q($good ? $this->t($done) : $this->why($answer)), $good ? 'confirmation' : 'error');
    }

    private function why(array $answer): string
    {
        if ($answer['result'] === 'not_main') {
            return $this->t('not_main');
        }
        return tecsmail_server::text($answer['closed'] ?? $answer['reason'] ?? null) ?: $this->t('again');
    }

    private function form(string $do, string $content, string $class): string
    {
        return $this->rc->output->form_tag(['method' => 'post', 'action' => './?_task=settings&_action=' . self::CHANGE,
            'class' => $class], self::hidden('_do', $do) . $content);
    }

    private static function hidden(string $name, string $value): string
    {
        return (new html_hiddenfield(['name' => $name, 'value' => $value]))->show();
    }

    private function button(string $label, string $class): string
    {
        return html::tag('button', ['type' => 'submit', 'class' => $class], $this->q($label));
    }

    private static function protocol(string $word): string
    {
        return self::PROTOCOLS[$word] ?? $word;
    }

    private function time(int $when): string
    {
        return rcube::Q($this->rc->format_date($when, $this->rc->config->get('date_long')));
    }

    private static function posted(string $name): string
    {
        return trim(rcube_utils::get_input_string($name, rcube_utils::INPUT_POST, true));
    }

    private function t(string $label): string
    {
        return $this->plugin->gettext($label);
    }

    private function q(string $label): string
    {
        return rcube::Q($this->t($label));
    }
}
