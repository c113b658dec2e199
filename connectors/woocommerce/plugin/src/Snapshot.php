<?php
/**
 * An order as the hub reads it.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * What `GET /wp-json/wc/v3/orders/<id>` and its refunds would answer with six decimals, made inside.
 */
final class Snapshot {

	private const PER_PAGE = 100;

	/**
	 * JSON of the order and its refunds; null if the user may not read orders any more.
	 *
	 * @param \WC_Order $order   The order.
	 * @param int       $user_id Who paired.
	 */
	public static function of( \WC_Order $order, int $user_id ): ?string {
		$before = get_current_user_id();
		wp_set_current_user( $user_id );
		try {
			$path = '/wc/v3/orders/' . $order->get_id();
			$read = self::get( $path );
			if ( null === $read ) {
				return null;
			}
			$refunds = array();
			$page    = 0;
			do {
				$query = array(
					'per_page' => self::PER_PAGE,
					'page'     => ++$page,
				);
				$more  = self::get( $path . '/refunds', $query );
				if ( null === $more ) {
					return null;
				}
				$found   = count( $more );
				$refunds = array_merge( $refunds, $more );
			} while ( self::PER_PAGE === $found );
			$json = wp_json_encode( array( 'order' => $read, 'refunds' => $refunds ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing.AssociativeArrayFound -- short.
			return is_string( $json ) ? $json : null;
		} finally {
			wp_set_current_user( $before );
		}
	}

	/**
	 * A GET that never leaves this process.
	 *
	 * @param string               $path  Route.
	 * @param array<string, mixed> $query Parameters.
	 * @return array<mixed>|null Null for an error.
	 */
	private static function get( string $path, array $query = array() ): ?array {
		$request = new \WP_REST_Request( 'GET', $path );
		$request->set_query_params( array_merge( array( 'dp' => 6 ), $query ) );
		$response = rest_do_request( $request );
		return $response->is_error() ? null : (array) rest_get_server()->response_to_data( $response, false );
	}
}
