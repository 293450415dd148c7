<?php
// SPDX-License-Identifier: ISC
/**
 * On the page of the account: over which lines its mails may travel. The server keeps both choices,
 * and what its operator wants of all accounts; the stricter one counts, so less is not on offer.
 */
class tecsmail_guarantee
{
    public const SENDING = ['none', 'encrypted', 'authenticated'], RECEIVING = ['any', 'encrypted'];

    private $plugin;

    public function __construct(rcube_plugin $plugin)
    {
        $this->plugin = $plugin;
    }

    /** @param array $answer the server's, own and least; @return string the content of the form */
    public function fields(array $answer): string
    {
        $sending = self::stricter(self::SENDING, $answer['own']['sending'], $answer['least']['sending']);
        $choices = '';
        foreach (self::SENDING as $word) {
            $less = self::stricter(self::SENDING, $word, $answer['least']['sending']) !== $word;
            $choices .= $this->choice(['type' => 'radio', 'name' => '_sending', 'value' => $word,
                'checked' => $word === $sending, 'disabled' => $less], "guarantee_sending_$word");
        }
        return html::p([], $this->q('guarantee_hint'))
            . $this->group('guarantee_sending', $choices, $answer['least']['sending'] !== 'none')
            . $this->group('guarantee_receiving', $this->receiving($answer), $answer['least']['receiving'] !== 'any');
    }

    /** What was posted, for the server: the words of its call. */
    public static function chosen(array $posted): array
    {
        return ['sending' => is_string($posted['_sending'] ?? null) ? $posted['_sending'] : '',
            'receiving' => ($posted['_receiving'] ?? '') === 'encrypted' ? 'encrypted' : 'any'];
    }

    /** @param string[] $words the mild ones first */
    public static function stricter(array $words, string $a, string $b): string
    {
        return array_search($a, $words, true) < array_search($b, $words, true) ? $b : $a;
    }

    /** What is switched on for all cannot be switched off; the own wish stays as it is. */
    private function receiving(array $answer): string
    {
        $forced = $answer['least']['receiving'] === 'encrypted';
        $on = $forced || $answer['own']['receiving'] === 'encrypted';
        $kept = $forced ? (new html_hiddenfield(['name' => '_receiving', 'value' => $answer['own']['receiving']]))->show() : '';
        return $kept . $this->choice(['type' => 'checkbox', 'role' => 'switch', 'name' => '_receiving', 'value' => 'encrypted',
            'checked' => $on, 'disabled' => $forced], 'guarantee_receiving_encrypted');
    }

    private function group(string $legend, string $choices, bool $forced): string
    {
        return html::tag('fieldset', ['class' => 'choices'], html::tag('legend', [], $this->q($legend)) . $choices
            . ($forced ? html::p(['class' => 'hint'], $this->q('guarantee_least')) : ''), ['class']);
    }

    /** Its name and, below, what it means. */
    private function choice(array $attributes, string $label): string
    {
        $id = 'tecsmail-' . strtr($label, '_', '-');
        $attributes += ['id' => $id, 'aria-describedby' => "$id-means"];
        return html::div(['class' => 'choice'], html::tag('input', array_filter($attributes), null, array_keys($attributes))
            . html::div([], html::label($id, $this->q($label))
                . html::p(['id' => "$id-means"], $this->q("{$label}_means"))));
    }

    private function q(string $label): string
    {
        return rcube::Q($this->plugin->gettext($label));
    }
}
