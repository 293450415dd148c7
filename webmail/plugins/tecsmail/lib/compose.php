<?php
// SPDX-License-Identifier: ISC
/**
 * Composing: "send encrypted only", and what mail to each recipient's domain may expect.
 *
 * The switch is a field of the mail, which our server obeys and takes away (docs/outbound.md). In a
 * draft it stays, and so the draft remembers it.
 */
class tecsmail_compose
{
    public const FIELD = 'X-Tecsmail-Send';
    private const ACTION = 'plugin.tecsmail-expect';
    private const DOMAINS_MAX = 20;

    private $plugin, $rc;

    public function __construct(rcube_plugin $plugin)
    {
        $this->plugin = $plugin;
        $this->rc = rcmail::get_instance();
        $plugin->add_hook('storage_init', [$this, 'fetch']);
        $plugin->add_hook('compose_objects', [$this, 'show']);
        $plugin->add_hook('message_ready', [$this, 'ready']);
        $plugin->register_action(self::ACTION, [$this, 'expect']);
        if ($this->rc->action === 'compose' && $this->rc->output instanceof rcmail_output_html) {
            $plugin->include_script('compose.js');
            $this->rc->output->add_label('tecsmail.expect_back', 'tecsmail.send_encrypted_all');
        }
    }

    /** Hook storage_init: our field is fetched with the others. */
    public function fetch(array $args): array
    {
        $args['fetch_headers'] = trim(($args['fetch_headers'] ?? '') . ' ' . strtoupper(self::FIELD));
        return $args;
    }

    /** Hook compose_objects: compose.js puts it below the recipients. */
    public function show(array $args): array
    {
        $box = new html_checkbox(['name' => '_tecsmail_send', 'id' => 'tecsmail-send', 'value' => 'encrypted',
            'class' => 'form-check-input custom-control-input']);
        $args['content'][] = html::div(['id' => 'tecsmail-compose'],
            html::div('custom-control custom-switch', $box->show($this->is_set($args['message'] ?? null) ? 'encrypted' : '')
                . html::label(['for' => 'tecsmail-send', 'class' => 'custom-control-label',
                    'title' => $this->plugin->gettext('send_encrypted_hint')],
                    rcube::Q($this->plugin->gettext('send_encrypted'))))
            . html::tag('ul', ['id' => 'tecsmail-expect', 'aria-live' => 'polite',
                'aria-label' => $this->plugin->gettext('expect')], ''));
        return $args;
    }

    /** Only a mail of his own says what its writer wants: one that came may say what it likes. */
    private function is_set($message): bool
    {
        $own = [$this->rc->config->get('drafts_mbox'), $this->rc->config->get('sent_mbox')];
        return $message instanceof rcube_message && in_array($message->folder, $own, true)
            && strtolower(trim((string) ($message->headers->others[strtolower(self::FIELD)] ?? ''))) === 'encrypted';
    }

    /** Hook message_ready: of a mail that is sent, and of a draft. */
    public function ready(array $args): array
    {
        if (rcube_utils::get_input_string('_tecsmail_send', rcube_utils::INPUT_POST) === 'encrypted') {
            $args['message']->headers([self::FIELD => 'encrypted'], true);
        }
        return $args;
    }

    /** Action: the page asks when the recipients change, and again for what is being looked up. */
    public function expect(): void
    {
        $asked = explode(',', rcube_utils::get_input_string('_domains', rcube_utils::INPUT_POST));
        $domains = array_slice(array_filter($asked, [self::class, 'is_domain']), 0, self::DOMAINS_MAX);
        $answer = tecsmail_server::ask_own('expect', ['domains' => implode(',', $domains)]);
        $told = [];
        foreach ($answer['domains'] ?? [] as $d) {
            $told[] = ['domain' => $d['domain'], 'level' => $d['level'], 'pending' => $d['pending'],
                'text' => $this->plugin->gettext('expect_' . $d['level'])];
        }
        $this->rc->output->command('plugin.tecsmail_expect', ['domains' => $told,
            'all' => in_array($answer['sending'] ?? '', ['encrypted', 'authenticated'], true)]);
        $this->rc->output->send();
    }

    public static function is_domain(string $text): bool
    {
        return strlen($text) <= 253 && preg_match('~^[^\s@,<>"()]+\.[^\s@,<>"().]{2,}$~uD', $text) === 1;
    }
}
