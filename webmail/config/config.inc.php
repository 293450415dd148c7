<?php
// SPDX-License-Identifier: ISC
// Roundcube's settings. A template: webmail/prepare fills in what stands between @.
$config = [];
$config['db_dsnw'] = 'sqlite:///@DIR@/db/roundcube.sqlite?mode=0600';
$config['log_dir'] = '@DIR@/logs/';
$config['temp_dir'] = '@DIR@/temp/';
$config['des_key'] = trim(file_get_contents('@DIR@/etc/des_key'));
$config['cipher_method'] = 'AES-256-CBC';

// The server's own sockets for the webmail (docs/adr/0013-webmail-by-unix-socket.md). imap_host is
// what accounts are kept under, so it names no path; the plugin knows where to connect to.
$config['imap_host'] = 'localhost';
$config['imap_auth_type'] = 'PLAIN';
$config['imap_timeout'] = 65;
$config['imap_dual_use_folders'] = true;
$config['smtp_host'] = 'unix://@SOCKETS@/smtp';
$config['smtp_user'] = '%u';
$config['smtp_pass'] = '%p';
$config['smtp_auth_type'] = 'PLAIN';
$config['smtp_helo_host'] = 'webmail.localhost';
$config['smtp_xclient_addr'] = true;
$config['smtp_timeout'] = 65;
$config['tecsmail_imap'] = '@SOCKETS@/imap';
$config['tecsmail_web'] = '@SOCKETS@/web-internal';
$config['tecsmail_hostnames'] = ['@HOSTNAME@'];
$config['username_domain'] = '@DOMAIN@';
$config['login_username_maxlen'] = 320;
$config['login_password_maxlen'] = 1024;
$config['login_rate_limit'] = 0; // the server's lockout counts

$config['session_storage'] = 'db';
$config['session_lifetime'] = 30;
$config['session_samesite'] = 'Lax';
$config['session_path'] = '/webmail/';
$config['session_name'] = 'webmail_session';
$config['session_auth_name'] = 'webmail_auth';
$config['ip_check'] = false; // telephones change their address
$config['proxy_whitelist'] = [];
$config['enable_installer'] = false;
$config['log_logins'] = true;
$config['smtp_log'] = false;

$config['language'] = null; // what the browser asks for, then what the user sets
$config['product_name'] = '@NAME@';
$config['display_product_info'] = 1;
$config['support_url'] = '/';
$config['useragent'] = 'Webmail';
$config['skin'] = 'elastic';
$config['skin_logo'] = ['*' => '/branding/icon.svg', 'login' => '/branding/logo.svg', '[favicon]' => '/branding/icon.svg',
	'[print]' => '/branding/logo.svg', '[small]' => '/branding/icon.svg'];
$config['blankpage_url'] = '/branding/blank.html';
$config['login_autocomplete'] = 2;
$config['date_format'] = 'd.m.Y';
$config['date_long'] = 'd.m.Y H:i';
$config['create_default_folders'] = true;
$config['quota_zero_as_unlimited'] = true;
$config['min_refresh_interval'] = 15;
$config['refresh_interval'] = 20; // a look costs a millisecond over these sockets
$config['draft_autosave'] = 60;
$config['mdn_requests'] = 2; // nobody learns unasked that a mail was read
$config['enable_spellcheck'] = false; // the browser's
$config['identities_level'] = 0;
$config['plugins'] = ['tecsmail', 'password', 'archive', 'markasjunk', 'newmail_notifier', 'attachment_reminder'];
