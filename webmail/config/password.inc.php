<?php
// SPDX-License-Identifier: ISC
// The server has the rule and says what is wrong: the driver asks it, nothing is judged here.
$config['password_driver'] = 'tecsmail';
$config['password_confirm_current'] = true;
$config['password_minimum_length'] = 0;
$config['password_minimum_score'] = 0;
$config['password_log'] = true;
