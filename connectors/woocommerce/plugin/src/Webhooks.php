<?php
/**
 * The hub's native webhooks.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * The hub registers them itself through the REST API. Once its key is revoked it cannot take them
 * away any more, so leaving does.
 */
final class Webhooks {

	/**
	 * Remove every webhook that delivers to an address; whether none is left.
	 *
	 * @param string $delivery_url The connection's.
	 */
	public static function remove( string $delivery_url ): bool {
		if ( ! function_exists( 'wc_get_webhook' ) || ! class_exists( \WC_Data_Store::class ) ) {
			return false;
		}
		try {
			foreach ( \WC_Data_Store::load( 'webhook' )->get_webhooks_ids() as $id ) {
				$webhook = wc_get_webhook( (int) $id );
				if ( $webhook && $webhook->get_delivery_url() === $delivery_url ) {
					$webhook->delete( true );
				}
			}
		} catch ( \Throwable $error ) {
			Log::note( 'The webhooks could not be removed (' . get_class( $error ) . ').', 'warning' );
			return false;
		}
		return true;
	}
}
