<?php
// SPDX-License-Identifier: ISC
// Table tests of what the plugin parses: our Received line, and the line of the lockout.
$lib = __DIR__ . '/../../webmail/plugins/tecsmail/lib';
require "$lib/received.php";
require "$lib/door.php";
require "$lib/compose.php";
require "$lib/guarantee.php";

const END = '; Tue, 24 Nov 2026 11:12:41 +0000';
const FAR = 'from mx.far.test ([192.0.2.1]) by mail.example.test with ';
const TLS = ' tls TLS_AES_256_GCM_SHA384 group x25519 (TLSv1.3)';

$passed = $failed = 0;

function check($got, $wanted, string $what): void
{
    global $passed, $failed;
    if ($got === $wanted) {
        $passed++;
        return;
    }
    $failed++;
    echo "FAILED $what: ", json_encode($got), ', wanted ', json_encode($wanted), "\n";
}

// The Received fields of a mail, topmost first; the seal they make.
$mails = [
    ['tls', [FAR . 'ESMTPS id 0123456789abcdef for <anna@example.test>' . TLS . END]],
    ['tls', [FAR . "ESMTPS id 0123456789abcdef\r\n\ttls TLS_AES_256_GCM_SHA384 (TLSv1.3);\r\n\tTue, 24 Nov 2026 11:12:41 +0000"]],
    ['tls', [FAR . 'UTF8SMTPS id 01 (TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256)' . END]],
    ['tls', ['from [192.0.2.1] by MAIL.example.test with ESMTPS id 01' . TLS . END]],
    ['tls', ['from six.test ([IPv6:2001:db8::1]) by mail.example.test with ESMTPS id 01' . TLS . END]],
    ['tls', [FAR . 'ESMTPS id 01' . TLS . END, 'from a by b; whatever it says']],
    ['clear', [FAR . 'ESMTP id 01' . END]],
    ['clear', [FAR . 'SMTP id 01' . END, FAR . 'ESMTPS id 02' . TLS . END]],
    ['user', ['from mail.example.test (a user, logged in) by mail.example.test with ESMTPSA id 01' . TLS . END]],
    ['user', ['from mail.example.test (a user, logged in) by mail.example.test with ESMTPA id 01' . END]],
    ['local', ['from program by mail.example.test with LMTP id 01' . END]],
    // Others' lines, whatever they claim; and ours if it is not the topmost.
    [null, []],
    [null, ['']],
    [null, ['from mx.far.test ([192.0.2.1]) by mx.far.test with ESMTPS id 01' . TLS . END]],
    [null, ['from a ([192.0.2.9]) by relay.test with ESMTPS id 01' . TLS . END, FAR . 'ESMTPS id 02' . TLS . END]],
    [null, ['from a (by mail.example.test) by evil.test with ESMTPS id 01' . TLS . END]],
    [null, ['from a by evil.test (by mail.example.test with ESMTPS id 01)' . TLS . END]],
    [null, ['from a by mail.example.test.evil.test with ESMTPS id 01' . TLS . END]],
    [null, [FAR . 'ESMTPS id 01 for <x> tls TLS_AES_256_GCM_SHA384 (TLSv1.3); <y@example.test>' . TLS . END]],
    // TLS and its letter go together, so do the login and its own.
    [null, [FAR . 'ESMTPS id 01' . END]],
    [null, [FAR . 'ESMTP id 01' . TLS . END]],
    [null, [FAR . 'ESMTPSA id 01' . TLS . END]],
    [null, ['from mail.example.test (a user, logged in) by mail.example.test with ESMTPS id 01' . TLS . END]],
    [null, [FAR . 'ESMTPS id 01' . TLS . END . ' and more']],
    [null, [FAR . 'ESMTPS id 01' . TLS . '; yesterday']],
    [null, [str_repeat('from a ', 300)]],
    [null, ["from a\0 by mail.example.test with SMTP id 01" . END]],
];
foreach ($mails as $n => [$seal, $fields]) {
    check(tecsmail_received::parse($fields, ['mail.example.test'])['seal'] ?? null, $seal, "mail $n");
}
check(tecsmail_received::parse(FAR . 'ESMTPS id 01 for <anna@example.test>' . TLS . END, ['other.test', 'mail.example.test']), [
    'seal' => 'tls', 'server' => 'mx.far.test', 'ip' => '192.0.2.1', 'by' => 'mail.example.test',
    'date' => 'Tue, 24 Nov 2026 11:12:41 +0000', 'protocol' => 'ESMTPS', 'version' => 'TLSv1.3',
    'cipher' => 'TLS_AES_256_GCM_SHA384', 'group' => 'x25519'], 'all of a line');
check(tecsmail_received::parse(null, ['mail.example.test']), null, 'no field');

// The server's answer to a login; what the user is told.
$lines = [
    ['AUTHENTICATE PLAIN: Zugang gesperrt bis 14:35 Uhr CET: 5 falsche Passwoerter / closed for your address until 14:35 CET: 5 wrong passwords',
        ['de' => ['14:35 Uhr', '5 falsche Passwörter'], 'en' => ['14:35 CET', '5 wrong passwords']]],
    ['Wrong startup greeting (x:1): * BYE [ALERT] Zugang gesperrt bis 25.11.2026 09:00 Uhr UTC: 3 Sperren in 24 Stunden / closed for your address until 2026-11-25 09:00 UTC: 3 blocks within 24 hours',
        ['de' => ['25.11.2026 09:00 Uhr', '3 Sperren in 24 Stunden'], 'en' => ['2026-11-25 09:00 UTC', '3 blocks within 24 hours']]],
    ['Zugang gesperrt bis 14:35 Uhr CET: vom Betreiber / closed for your address until 14:35 CET: by the operator',
        ['de' => ['14:35 Uhr', 'vom Betreiber'], 'en' => ['14:35 CET', 'by the operator']]],
    ['AUTHENTICATE PLAIN: user name or password is wrong - Benutzername oder Passwort falsch', null],
    ['Zugang gesperrt bis auf weiteres', null],
    ['', null],
];
foreach ($lines as $n => [$line, $wanted]) {
    check(tecsmail_door::parse_closed($line), $wanted, "line $n");
}

// An account that is locked or has expired.
$lines = [
    ['CONTACTADMIN', 'AUTHENTICATE PLAIN: Ihr Konto ist gesperrt / Your account is locked: Spam / bitte anrufen: 0123',
        ['de' => 'Ihr Konto ist gesperrt: Spam / bitte anrufen: 0123', 'en' => 'Your account is locked: Spam / bitte anrufen: 0123']],
    ['CONTACTADMIN', 'Ihr Konto ist am 31.12.2026 abgelaufen / Your account expired on 2026-12-31',
        ['de' => 'Ihr Konto ist am 31.12.2026 abgelaufen.', 'en' => 'Your account expired on 2026-12-31.']],
    ['CONTACTADMIN', "AUTHENTICATE PLAIN: ID has not said the browser's address before", null],
    ['AUTHENTICATIONFAILED', 'Ihr Konto ist gesperrt / Your account is locked', null],
    ['', '', null],
];
foreach ($lines as $n => [$code, $line, $wanted]) {
    check(tecsmail_door::parse_refused($code, $line), $wanted, "refusal $n");
}

// Each word of the server for what became of a login has a text in each language.
preg_match('~char \*visit_word\(.*?\n}~s', file_get_contents(__DIR__ . '/../../src/keeper/history.c'), $m);
preg_match_all('~return "(\w+)"~', $m[0], $words);
check(count($words[1]) > 5, true, 'words of visit_word');
foreach (['de_DE', 'en_US'] as $language) {
    $labels = [];
    require __DIR__ . "/../../webmail/plugins/tecsmail/localization/$language.inc";
    foreach ($words[1] as $word) {
        check(isset($labels["result_$word"]), true, "$language: result_$word");
    }
}

// Of two guarantees the stricter one; what a form has posted.
$pairs = [['none', 'none', 'none'], ['none', 'encrypted', 'encrypted'], ['authenticated', 'encrypted', 'authenticated'],
    ['encrypted', 'authenticated', 'authenticated']];
foreach ($pairs as [$a, $b, $wanted]) {
    check(tecsmail_guarantee::stricter(tecsmail_guarantee::SENDING, $a, $b), $wanted, "$a and $b");
}
$forms = [
    [['_sending' => 'encrypted', '_receiving' => 'encrypted'], ['sending' => 'encrypted', 'receiving' => 'encrypted']],
    [['_sending' => 'none'], ['sending' => 'none', 'receiving' => 'any']],
    [['_sending' => 'none', '_receiving' => 'any'], ['sending' => 'none', 'receiving' => 'any']],
    [['_sending' => ['none'], '_receiving' => ['encrypted']], ['sending' => '', 'receiving' => 'any']],
    [[], ['sending' => '', 'receiving' => 'any']],
];
foreach ($forms as $n => [$posted, $wanted]) {
    check(tecsmail_guarantee::chosen($posted), $wanted, "form $n");
}
// Each word that the server has for them has its texts in each language.
preg_match('~sending_words\[\] = {(.*?)}.*receiving_words\[\] = {(.*?)}~s', file_get_contents(__DIR__ . '/../../src/keeper/guarantee.c'), $m);
foreach (['SENDING' => $m[1], 'RECEIVING' => $m[2]] as $which => $list) {
    preg_match_all('~"(\w+)"~', $list, $words);
    check(constant("tecsmail_guarantee::$which"), $words[1], "words of $which");
}
foreach (['de_DE', 'en_US'] as $language) {
    $labels = [];
    require __DIR__ . "/../../webmail/plugins/tecsmail/localization/$language.inc";
    foreach (['sending_none', 'sending_encrypted', 'sending_authenticated', 'receiving_encrypted'] as $name) {
        check(isset($labels["guarantee_$name"], $labels["guarantee_{$name}_means"]), true, "$language: guarantee_$name");
    }
}

// What the operator wants of all accounts cannot be had for less; rendered by Roundcube's own library.
$roundcube = '/usr/share/roundcube/';
if (is_file("$roundcube/program/lib/Roundcube/bootstrap.php")) {
    define('INSTALL_PATH', $roundcube);
    define('RCUBE_CONFIG_DIR', '/nonexistent/');
    require "$roundcube/program/lib/Roundcube/bootstrap.php";
    $plugin = new class extends rcube_plugin {
        public function __construct()
        {
        }

        public function init()
        {
        }

        public function gettext($name)
        {
            return "<$name>";
        }
    };
    $form = function (string $own, string $receiving, string $least, string $all) use ($plugin): array {
        $html = (new tecsmail_guarantee($plugin))->fields(['own' => ['sending' => $own, 'receiving' => $receiving],
            'least' => ['sending' => $least, 'receiving' => $all]]);
        preg_match_all('~<input [^>]*value="(\w+)"([^>]*)>~', $html, $inputs, PREG_SET_ORDER);
        return array_map(fn ($m) => $m[1] . (strpos($m[0], 'hidden') ? '?' : '') . (strpos($m[2], ' checked') !== false ? '*' : '')
            . (strpos($m[2], ' disabled') !== false ? '-' : ''), $inputs);
    };
    check($form('none', 'any', 'none', 'any'), ['none*', 'encrypted', 'authenticated', 'encrypted'], 'nothing wanted');
    check($form('authenticated', 'encrypted', 'encrypted', 'any'), ['none-', 'encrypted', 'authenticated*', 'encrypted*'],
        'more than the operator wants');
    check($form('none', 'any', 'encrypted', 'encrypted'), ['none-', 'encrypted*', 'authenticated', 'any?', 'encrypted*-'],
        'less than the operator wants');
}

// What may be asked about as a domain.
foreach (['far.test' => true, 'a.b.far.test' => true, 'bücher.test' => true, 'xn--bcher-kva.test' => true, 'far' => false,
    'far.' => false, 'far.t' => false, '' => false, 'a@far.test' => false, 'a,b.test' => false, 'a b.test' => false,
    '<b>.test' => false, str_repeat('a', 250) . '.test' => false, "far.test\n" => false, "\xff.test" => false] as $text => $is) {
    check(tecsmail_compose::is_domain($text), $is, "domain $text");
}

echo "$passed passed, $failed failed\n";
exit($failed ? 1 : 0);
