<?php
/**
 * What the shop and the hub prove to each other.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * Keyed hashes, nothing else: no database and no network.
 */
final class Signature {

	/**
	 * The proof in an order's link: who holds it was shown the order by this shop.
	 *
	 * @param string $link_secret Shared with the hub at pairing.
	 * @param int    $order_id    The order's id, which buyers see and can guess.
	 * @param string $order_key   The order's own secret, `wc_order_…`.
	 */
	public static function of_link( string $link_secret, int $order_id, string $order_key ): string {
		return self::base64url( hash_hmac( 'sha256', $order_id . "\n" . $order_key, $link_secret, true ) );
	}

	/**
	 * The signature of a request to the hub; the time bounds how long it can be replayed.
	 *
	 * @param string $secret Shared with the hub at pairing.
	 * @param string $method GET or POST.
	 * @param string $path   Path with query, as sent.
	 * @param int    $time   Unix seconds.
	 * @param string $body   The raw body, "" for none.
	 */
	public static function of_request( string $secret, string $method, string $path, int $time, string $body ): string {
		return self::base64url( hash_hmac( 'sha256', $method . "\n" . $path . "\n" . $time . "\n" . $body, $secret, true ) );
	}

	/**
	 * The signature of a delivery, as WooCommerce's own webhooks have it.
	 *
	 * @param string $secret Shared with the hub at pairing.
	 * @param string $body   The raw body.
	 */
	public static function of_delivery( string $secret, string $body ): string {
		return base64_encode( hash_hmac( 'sha256', $body, $secret, true ) ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- WooCommerce's format.
	}

	/**
	 * Base64 for addresses, without padding.
	 *
	 * @param string $bytes Any bytes.
	 */
	private static function base64url( string $bytes ): string {
		return rtrim( strtr( base64_encode( $bytes ), '+/', '-_' ), '=' ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- RFC 4648 §5.
	}
}
