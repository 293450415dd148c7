<?php
// SPDX-License-Identifier: ISC
/**
 * The transport seal: a lock in the list and in each received mail that says how it came.
 */
class tecsmail_seal
{
    private $plugin;

    public function __construct(rcube_plugin $plugin)
    {
        $this->plugin = $plugin;
    }

    /** Hook storage_init: the Received fields are fetched with the others. */
    public function fetch(array $args): array
    {
        $args['fetch_headers'] = trim(($args['fetch_headers'] ?? '') . ' RECEIVED');
        return $args;
    }

    /** Hook messages_list */
    public function rows(array $args): array
    {
        foreach ($args['messages'] ?: [] as $header) {
            if ($header && ($seal = $this->of($header))) {
                $header->list_flags['extra_flags']['tecsmail_seal'] = $seal;
            }
        }
        return $args;
    }

    /** Hook message_load: the lock stands with the links below the sender. */
    public function message(array $args): array
    {
        $rc = rcmail::get_instance();
        $in_page = in_array($rc->action, ['show', 'preview']) && $rc->output instanceof rcmail_output_html;

        if ($in_page && !empty($args['object']->headers) && ($seal = $this->of($args['object']->headers))) {
            $rc->output->set_env('tecsmail_seal', $seal);
            $this->plugin->api->add_content(html::a(['href' => '#seal', 'id' => 'tecsmail-seal',
                'class' => 'tecsmail-seal ' . $seal['seal']], rcube::Q($seal['title'])), 'headerlinks');
        }
        return $args;
    }

    /** @return array|null  seal, title, and rows of label and value for who asks further */
    private function of(rcube_message_header $header): ?array
    {
        $rc = rcmail::get_instance();
        $r = tecsmail_received::parse($header->others['received'] ?? null, $rc->config->get('tecsmail_hostnames'));
        if (!$r) {
            return null;
        }
        $rows = [];
        $add = function (string $label, string $value) use (&$rows) {
            if ($value !== '') {
                $rows[] = [$this->plugin->gettext("seal_$label"), $value];
            }
        };
        $add('from', $r['seal'] === 'user' ? $this->plugin->gettext($r['version'] ? 'seal_by_program' : 'seal_by_webmail')
            : trim("$r[server] " . ($r['ip'] ? "[$r[ip]]" : '')));
        $add('by', $r['by']);
        $add('time', $rc->format_date($r['date'], $rc->config->get('date_long')));
        $add('version', str_replace('TLSv', 'TLS ', $r['version']));
        $add('cipher', $r['cipher']);
        $add('group', $r['group']);
        $add('protocol', $r['protocol']);
        return ['seal' => $r['seal'], 'title' => $this->plugin->gettext("seal_is_$r[seal]"), 'rows' => $rows];
    }
}
