<?php
/**
 * The few functions of WordPress that the pure classes call, for tests without WordPress.
 *
 * @package Autofactura\Hub
 */

define( 'ABSPATH', __DIR__ . '/' );
define( 'MINUTE_IN_SECONDS', 60 );

$GLOBALS['options'] = array();

function get_option( $name, $default = false ) {
	return $GLOBALS['options'][ $name ] ?? $default;
}

function update_option( $name, $value ) {
	$GLOBALS['options'][ $name ] = $value;
	return true;
}

function delete_option( $name ) {
	unset( $GLOBALS['options'][ $name ] );
	return true;
}

function wp_check_invalid_utf8( $text ) {
	return mb_check_encoding( $text, 'UTF-8' ) ? $text : '';
}

function wp_parse_url( $url, $part = -1 ) {
	return parse_url( $url, $part );
}

function untrailingslashit( $text ) {
	return rtrim( $text, '/\\' );
}

function esc_url_raw( $url ) {
	return preg_replace( '/[^\x21-\x7e]|[<>"\']/', '', $url );
}

function home_url( $path = '' ) {
	return $GLOBALS['home'] . $path;
}

function sanitize_text_field( $text ) {
	return trim( strip_tags( $text ) );
}

function determine_locale() {
	return $GLOBALS['locale'] ?? 'es_MX';
}

function wc_get_order_statuses() {
	return array(
		'wc-processing' => 'Processing',
		'wc-completed'  => 'Completed',
		'wc-shipped'    => 'Shipped',
		'wc-lost'       => 'Lost',
	);
}

function __( $text ) {
	return $text;
}
