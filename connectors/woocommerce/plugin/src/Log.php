<?php
/**
 * The plug-in's log.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * WooCommerce → Status → Logs, source "autofactura-hub": order ids and codes, never names, addresses or secrets.
 */
final class Log {

	/**
	 * Worth knowing.
	 *
	 * @param string $message English, no personal data.
	 * @param string $level   A level of WC_Logger.
	 */
	public static function note( string $message, string $level = 'info' ): void {
		if ( function_exists( 'wc_get_logger' ) ) {
			wc_get_logger()->log( $level, $message, array( 'source' => 'autofactura-hub' ) );
		}
	}
}
