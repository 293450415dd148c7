<?php
// SPDX-License-Identifier: ISC
/**
 * Transport receipts: in each mail that its reader has sent, what became of it at each recipient.
 * The server knows them by the Message-ID, so they are there wherever the mail was moved.
 */
class tecsmail_receipt
{
    private const ACTION = 'plugin.tecsmail-receipt';
    private const SHOWN = 5;       // the others unfold
    private const YOUNG_S = 300;   // so long a mail without any may be on its way

    private $plugin, $rc;

    public function __construct(rcube_plugin $plugin)
    {
        $this->plugin = $plugin;
        $this->rc = rcmail::get_instance();
        $plugin->add_hook('message_objects', [$this, 'show']);
        $plugin->register_action(self::ACTION, [$this, 'again']);
    }

    /** Hook message_objects: they stand above the text. */
    public function show(array $args): array
    {
        $headers = $args['message']->headers ?? null;
        if ($headers && $headers->messageID && $this->is_own($args['message'])) {
            [$html, $open] = $this->look($headers->messageID);
            $young = time() - (int) $headers->timestamp < self::YOUNG_S;
            $args['content'][] = html::div(['id' => 'tecsmail-receipts'], $html);
            if ($open || ($html === '' && $young)) {
                $this->rc->output->set_env('tecsmail_receipt', $headers->messageID);
            }
        }
        return $args;
    }

    /** Action: the page asks again while something is to come. */
    public function again(): void
    {
        [$html, $open] = $this->look(rcube_utils::get_input_string('_id', rcube_utils::INPUT_POST, true));
        $this->rc->output->command('plugin.tecsmail_receipt', ['html' => $html, 'open' => $open]);
        $this->rc->output->send();
    }

    /** Sent by who reads it: it lies in Sent, or is from one of his addresses. */
    private function is_own(rcube_message $message): bool
    {
        if ($message->folder === $this->rc->config->get('sent_mbox')) {
            return true;
        }
        if ($message->folder === $this->rc->config->get('drafts_mbox')) {
            return false;
        }
        $own = array_column($this->rc->user->list_emails(), 'email');
        return in_array(strtolower((string) ($message->sender['mailto'] ?? '')), array_map('strtolower', $own), true);
    }

    /** @return array  what is to be seen, '' for nothing; whether more is to come soon */
    private function look(string $id): array
    {
        $answer = tecsmail_server::ask_own('receipt', ['id' => $id]);
        $rows = $answer['recipients'] ?? [];
        $lines = array_map([$this, 'line'], $rows);
        $open = (bool) array_filter($rows, function ($row) {
            return $row['state'] === 'waiting' && $row['next'] < time() + 120;
        });

        if (!$lines) {
            return ['', false];
        }
        $rest = array_splice($lines, self::SHOWN);
        if ($rest) {
            $lines[] = html::tag('details', ['class' => 'more'],
                html::tag('summary', [], $this->q('receipt_more', ['n' => count($rest)])) . implode('', $rest));
        }
        if (!empty($answer['more'])) {
            $lines[] = html::p([], $this->q('receipt_beyond'));
        }
        return [html::tag('h2', ['class' => 'voice'], $this->q('receipts')) . implode('', $lines), $open];
    }

    /** One recipient: a line, and what is behind it. */
    private function line(array $row): string
    {
        $title = $this->t("receipt_is_$row[state]");
        if ($row['state'] === 'delivered') {
            $title .= ', ' . $this->t("receipt_way_$row[way]");
        }
        return html::tag('details', ['class' => "tecsmail-receipt $row[state] $row[way]"],
            html::tag('summary', [], html::span('state', '') . html::tag('bdi', [], rcube::Q($row['address'])) . ': '
                . html::span('what', rcube::Q($title)))
            . html::p([], rcube::Q($this->sentence($row))) . $this->facts($row));
    }

    /** What happened, as a whole sentence: public for its test. */
    public function sentence(array $row): string
    {
        $vars = ['host' => $row['host'] ?: $this->t('receipt_other_server'), 'time' => $this->time($row['when']),
            'tls' => str_replace('TLSv', 'TLS ', $row['tls'])];

        if ($row['state'] === 'delivered') {
            if ($row['way'] === 'here') {
                return $this->t('receipt_here', $vars);
            }
            return $this->t('receipt_delivered', $vars + ['how' => $this->t("receipt_how_$row[way]", $vars)]);
        }
        $parts = [tecsmail_server::text($row['said'])];
        if ($row['state'] === 'waiting') {
            $parts[] = $row['next'] ? $this->t('receipt_next', ['n' => $row['tries'], 'time' => $this->time($row['next'])])
                : $this->t('receipt_held');
        }
        else {
            $parts[] = $this->t("receipt_end_$row[state]");
        }
        return implode(' ', array_filter($parts, 'strlen'));
    }

    private function facts(array $row): string
    {
        $reply = trim(($row['code'] ?: '') . " $row[status] $row[text]");
        $table = '';
        foreach (['time' => $this->time($row['when']), 'server' => $row['host'], 'address' => $row['ip'],
            'version' => str_replace('TLSv', 'TLS ', $row['tls']), 'cipher' => $row['cipher'], 'group' => $row['group'],
            'proof' => $row['way'] === 'none' || $row['way'] === 'here' ? '' : $this->t("receipt_proof_$row[way]"),
            'reply' => $reply, 'tries' => $row['tries'] ? (string) $row['tries'] : ''] as $label => $value) {
            if ($value !== '') {
                $table .= html::tag('tr', [], html::tag('th', ['scope' => 'row'], $this->q("receipt_fact_$label"))
                    . html::tag('td', [], rcube::Q($value)));
            }
        }
        return html::tag('table', ['class' => 'tecsmail-facts'], $table);
    }

    private function time(int $when): string
    {
        return (string) $this->rc->format_date($when, $this->rc->config->get('date_long'));
    }

    private function t(string $label, array $vars = []): string
    {
        return $this->plugin->gettext(['name' => $label, 'vars' => $vars]);
    }

    private function q(string $label, array $vars = []): string
    {
        return rcube::Q($this->t($label, $vars));
    }
}
