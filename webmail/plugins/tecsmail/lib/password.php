<?php
// SPDX-License-Identifier: ISC
/**
 * Beside the form of the password plugin (driver.php is its other half): how good a new password
 * is, while it is typed. The server judges.
 */
class tecsmail_password
{
    public function __construct(rcube_plugin $plugin)
    {
        $plugin->register_action('plugin.tecsmail-judge', [$this, 'judge']);
        $rc = rcmail::get_instance();
        if (strpos((string) $rc->action, 'plugin.password') === 0 && $rc->output instanceof rcmail_output_html) {
            $plugin->include_script('password.js');
            $rc->output->add_label('tecsmail.strength_0', 'tecsmail.strength_1', 'tecsmail.strength_2',
                'tecsmail.strength_3');
        }
    }

    /** Action: the page asks after each pause of the typist. */
    public function judge(): void
    {
        $rc = rcmail::get_instance();
        $new = rcube_utils::get_input_string('_new', rcube_utils::INPUT_POST, true);
        $answer = tecsmail_server::ask('judge', ['user' => $rc->get_user_name(), 'new' => $new]);

        if ($answer['result'] === 'ok') {
            $rc->output->command('plugin.tecsmail_judged', [
                'for' => strlen($new),
                'fits' => $answer['word'] === 'ok',
                'score' => (int) $answer['score'],
                'text' => tecsmail_server::text($answer['word'] === 'ok' ? $answer['advice'] : $answer['reason']),
            ]);
        }
        $rc->output->send();
    }
}
