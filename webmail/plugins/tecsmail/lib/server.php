<?php
// SPDX-License-Identifier: ISC
/**
 * What the server is asked on behalf of its user, over its unix socket: docs/webapi.md.
 */
class tecsmail_server
{
    private const CONNECT_S = 10, ANSWER_S = 65, ANSWER_MAX = 1 << 20;

    /** @return array the answer; ['result' => 'again'] if there was none */
    public static function ask(string $path, array $fields): array
    {
        $socket = rcmail::get_instance()->config->get('tecsmail_web');
        $body = http_build_query($fields, '', '&', PHP_QUERY_RFC1738);
        $head = self::pairs(['CONTENT_LENGTH' => strlen($body), 'SCGI' => '1', 'REQUEST_METHOD' => 'POST',
            'REQUEST_URI' => "/internal/$path", 'CONTENT_TYPE' => 'application/x-www-form-urlencoded']);
        $text = self::exchange("unix://$socket", strlen($head) . ":$head,$body");
        [, $json] = explode("\r\n\r\n", $text, 2) + [1 => ''];
        $answer = json_decode($json, true);

        if (!is_array($answer) || !is_string($answer['result'] ?? null)) {
            rcube::raise_error(['code' => 600, 'file' => __FILE__, 'line' => __LINE__,
                'message' => "tecsmail: no answer to /internal/$path"], true, false);
            return ['result' => 'again'];
        }
        return $answer;
    }

    /** The same for what concerns the account of this session, which proves itself. */
    public static function ask_own(string $path, array $fields = []): array
    {
        $rc = rcmail::get_instance();
        return self::ask($path, ['user' => $rc->get_user_name(), 'password' => $rc->decrypt($_SESSION['password']),
            'addr' => rcube_utils::remote_addr()] + $fields);
    }

    /** Texts come in both languages: 'de' for who reads German, else 'en'. */
    public static function language(): string
    {
        return strncmp(rcmail::get_instance()->get_user_language(), 'de', 2) ? 'en' : 'de';
    }

    /** @param mixed $texts ['de' => ..., 'en' => ...] */
    public static function text($texts): string
    {
        return is_array($texts) ? (string) ($texts[self::language()] ?? '') : '';
    }

    private static function pairs(array $variables): string
    {
        $head = '';
        foreach ($variables as $name => $value) {
            $head .= "$name\0$value\0";
        }
        return $head;
    }

    private static function exchange(string $address, string $request): string
    {
        $s = @stream_socket_client($address, $errno, $error, self::CONNECT_S);
        if (!$s) {
            return '';
        }
        stream_set_timeout($s, self::ANSWER_S);
        for ($at = 0; $at < strlen($request); $at += $n) {
            $n = @fwrite($s, substr($request, $at));
            if (!$n) {
                return '';
            }
        }
        $text = (string) stream_get_contents($s, self::ANSWER_MAX);
        fclose($s);
        return $text;
    }
}
