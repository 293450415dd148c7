<?php
// SPDX-License-Identifier: ISC
/**
 * What our server's own Received line says of how a mail came: RFC 5321 4.4, RFC 8314 4.3.
 *
 * Only the topmost line counts, and only if our server wrote it: everything below came with the
 * mail, and may say what it likes. The form is that of src/smtp/trace.c, to the letter.
 */
class tecsmail_received
{
    private const LINE = '~^
        from\ (?<from>[A-Za-z0-9._:\[\]-]+)
        (?:\ \((?:\[(?:IPv6:)?(?<ip>[0-9A-Fa-f.:]+)\]|(?<user>a\ user,\ logged\ in))\))?
        \ by\ (?<by>[A-Za-z0-9._:\[\]-]+)
        \ with\ (?<protocol>(?:UTF8)?(?:E?SMTP|LMTP)(?<s>S?)(?<a>A?))
        \ id\ (?<id>[0-9a-f]+)
        (?:\ for\ <[^<>]*>)?
        (?:\ tls\ (?<cipher>[A-Za-z0-9_]+)(?:\ group\ (?<group>[A-Za-z0-9_]+))?\ \((?<version>TLSv1\.[0-9])\)
          |\ \((?<version2>TLSv1\.[0-9])\ (?<cipher2>[A-Z0-9-]+)\))?
        ;\ (?<date>[A-Z][a-z]{2},\ \d\d?\ [A-Z][a-z]{2}\ \d{4}\ \d\d:\d\d:\d\d\ [+-]\d{4})$~x';

    /**
     * @param string|string[]|null $fields     the Received fields as they stand in the mail, unfolded
     * @param string[]             $hostnames  our server's
     *
     * @return array|null  null: nothing is known. seal: 'user' (encrypted, and the sender had logged
     *   in), 'tls' (encrypted), 'clear', 'local' (handed over on this machine); server, ip, by, date,
     *   protocol, version, cipher, group: '' where there is none
     */
    public static function parse($fields, array $hostnames): ?array
    {
        $top = is_array($fields) ? reset($fields) : $fields;
        if (!is_string($top) || strlen($top) > 2000) {
            return null;
        }
        $line = preg_replace('~[ \t\r\n]+~', ' ', trim($top));
        if (!preg_match(self::LINE, $line, $m, PREG_UNMATCHED_AS_NULL)
            || !in_array(strtolower($m['by']), array_map('strtolower', $hostnames), true)) {
            return null;
        }
        $version = $m['version'] ?? $m['version2'] ?? '';
        if (($m['s'] === 'S') !== ($version !== '') || ($m['a'] === 'A') !== isset($m['user'])) {
            return null; // no line of ours
        }
        return [
            'seal' => self::seal($m['protocol'], $version !== '', $m['a'] === 'A'),
            'server' => $m['from'],
            'ip' => $m['ip'] ?? '',
            'by' => $m['by'],
            'date' => $m['date'],
            'protocol' => $m['protocol'],
            'version' => $version,
            'cipher' => $m['cipher'] ?? $m['cipher2'] ?? '',
            'group' => $m['group'] ?? '',
        ];
    }

    /** A login without TLS there is on the sockets of the webmail alone, whose users come by HTTPS. */
    private static function seal(string $protocol, bool $tls, bool $user): string
    {
        if ($user) {
            return 'user';
        }
        if (strpos($protocol, 'LMTP') !== false) {
            return 'local';
        }
        return $tls ? 'tls' : 'clear';
    }
}
