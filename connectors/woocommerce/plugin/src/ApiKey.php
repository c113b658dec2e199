<?php
/**
 * The hub's key to this shop.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * A row of WooCommerce's own table, made as WC_Auth makes one: it shows under
 * WooCommerce → Settings → Advanced → REST API and can be revoked there.
 */
final class ApiKey {

	/**
	 * A new key with read and write access for the current user (write: the hub registers its webhooks).
	 *
	 * @return array{id: int, key: string, secret: string}|null Null if the table refused it.
	 */
	public static function make(): ?array {
		global $wpdb;
		$key    = 'ck_' . wc_rand_hash();
		$secret = 'cs_' . wc_rand_hash();
		$row    = array(
			'user_id'         => get_current_user_id(),
			'description'     => sprintf( 'Autofactura Hub - API (%s)', gmdate( 'Y-m-d H:i:s' ) ),
			'permissions'     => 'read_write',
			'consumer_key'    => wc_api_hash( $key ),
			'consumer_secret' => $secret,
			'truncated_key'   => substr( $key, -7 ),
		);
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery.DirectQuery -- WooCommerce has no function for it.
		$made = $wpdb->insert( $wpdb->prefix . 'woocommerce_api_keys', $row, array( '%d', '%s', '%s', '%s', '%s', '%s' ) );
		return $made ? array(
			'id'     => (int) $wpdb->insert_id,
			'key'    => $key,
			'secret' => $secret,
		) : null;
	}

	/**
	 * Revoke one. Only keys of this plug-in: a row someone put in its place stays.
	 *
	 * @param int $id The row.
	 */
	public static function remove( int $id ): void {
		global $wpdb;
		$table = $wpdb->prefix . 'woocommerce_api_keys';
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery, WordPress.DB.PreparedSQL.InterpolatedNotPrepared -- WooCommerce has no function for it; the name is not input.
		$wpdb->query( $wpdb->prepare( "DELETE FROM {$table} WHERE key_id = %d AND description LIKE %s", $id, 'Autofactura Hub - API %' ) );
	}

	/**
	 * Whether the key is still in the table.
	 *
	 * @param int $id The row.
	 */
	public static function exists( int $id ): bool {
		global $wpdb;
		$table = $wpdb->prefix . 'woocommerce_api_keys';
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery, WordPress.DB.PreparedSQL.InterpolatedNotPrepared -- the same.
		return (bool) $wpdb->get_var( $wpdb->prepare( "SELECT key_id FROM {$table} WHERE key_id = %d", $id ) );
	}
}
