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
	return 'home' === $name ? $GLOBALS['home'] :  $GLOBALS['options'][ $name ] ?? $default;
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

/** As a plug-in for several languages leaves it. */
function home_url( $path = '' ) {
	return $GLOBALS['home'] . '/en' . $path;
}

function is_ssl() {
	return $GLOBALS['ssl'] ?? false;
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

/** An order with what the rules ask of it. */
class WC_Order {

	public function __construct( public int $id, public ?int $paid = 1, public string $type = 'shop_order' ) {}

	public function get_id() {
		return $this->id;
	}

	public function get_type() {
		return $this->type;
	}

	public function get_date_paid() {
		return $this->paid;
	}
}

/** Requests inside WordPress are refused here, so that a delivery is the order's id alone. */
class WP_REST_Request {

	public function set_query_params() {}
}

class WP_Error {

	public function get_error_code() {
		return 'http_request_failed';
	}
}

function rest_do_request() {
	return new class() {

		public function is_error() {
			return true;
		}
	};
}

function wc_get_order( $id ) {
	return $GLOBALS['orders'][ $id ] ?? false;
}

function get_current_user_id() {
	return 0;
}

function wp_set_current_user() {}

function wp_json_encode( $value ) {
	return json_encode( $value );
}

function is_admin() {
	return true;
}

function set_transient( $name, $value ) {
	$GLOBALS['transients'][ $name ] = $value;
}

function get_transient( $name ) {
	return $GLOBALS['transients'][ $name ] ?? false;
}

function delete_transient( $name ) {
	unset( $GLOBALS['transients'][ $name ] );
}

/** The hub: answers in turn, and what it was sent. An answer of 0 is a connection refused. */
function wp_safe_remote_request( $url, $arguments ) {
	$GLOBALS['sent'][] = array( $url, $arguments );
	$code              = array_shift( $GLOBALS['answers'] );
	return $code ? array( 'code' => $code ) : new WP_Error();
}

function is_wp_error( $value ) {
	return $value instanceof WP_Error;
}

function wp_remote_retrieve_response_code( $got ) {
	return $got['code'];
}

function wp_remote_retrieve_body() {
	return '';
}

function wp_remote_retrieve_header() {
	return '';
}

/** Action Scheduler: hook's arguments => time. */
function as_next_scheduled_action( $hook, $args ) {
	return $GLOBALS['queue'][ $args[0] ] ?? false;
}

function as_schedule_single_action( $when, $hook, $args ) {
	if ( isset( $GLOBALS['queue'][ $args[0] ] ) ) {
		throw new RuntimeException( 'queued twice' );
	}
	$GLOBALS['queue'][ $args[0] ] = $when;
}

function as_unschedule_action( $hook, $args ) {
	unset( $GLOBALS['queue'][ $args[0] ] );
}
