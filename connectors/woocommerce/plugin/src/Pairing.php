<?php
/**
 * Connecting and disconnecting.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * Either everything is in place afterwards, or nothing of a failed try is left.
 */
final class Pairing {

	/**
	 * Pair with a hub by a code it showed.
	 *
	 * @param string $typed_hub  Address as typed.
	 * @param string $typed_code Code as typed.
	 * @return \WP_Error|Connection
	 */
	public static function connect( string $typed_hub, string $typed_code ) {
		$hub  = HubAddress::tidy( $typed_hub );
		$code = mb_substr( (string) preg_replace( '/\s+/', '', $typed_code ), 0, 100 );
		if ( ! HubAddress::usable( $hub ) ) {
			return new \WP_Error( 'address', __( 'That is not an address a hub can have. It begins with https://, as in https://facturas.example.com', 'autofactura-hub' ) );
		}
		if ( '' === $code ) {
			return new \WP_Error( 'code', __( 'Type the code that the hub showed you.', 'autofactura-hub' ) );
		}
		$key = ApiKey::make();
		if ( null === $key ) {
			return new \WP_Error( 'key', __( 'WooCommerce could not make a REST API key. Check that its tables are complete (WooCommerce → Status).', 'autofactura-hub' ) );
		}
		$store  = Connection::store();
		$answer = HubClient::pair(
			$hub,
			array(
				'code'        => $code,
				'store_url'   => $store,
				'key'         => $key['key'],
				'secret'      => $key['secret'],
				'plugin'      => Plugin::VERSION,
				'woocommerce' => WC()->version,
			)
		);
		$made   = $answer->is_good() ? Connection::from_answer( $answer->json, $store, $key['id'], get_current_user_id() ) : null;
		if ( null === $made ) {
			ApiKey::remove( $key['id'] );
			Log::note( 'Pairing failed (' . $answer->code . ').', 'warning' );
			return new \WP_Error( 'refused', self::reason( $answer ) );
		}
		$before = Connection::get();
		$made->save();
		if ( $before && $before->key_id !== $made->key_id ) {
			ApiKey::remove( $before->key_id );
		}
		Log::note( 'Paired.' );
		return $made;
	}

	/**
	 * Leave the hub. What is here goes in any case; whether the hub heard it is told.
	 */
	public static function disconnect(): bool {
		$connection = Connection::get();
		if ( null === $connection ) {
			return true;
		}
		$tidied = Webhooks::remove( $connection->webhook_url );
		// A copy must not end the connection of the shop it was copied from.
		$heard = $connection->is_copy() || 200 === HubClient::disconnect( $connection, $tidied )->code;
		ApiKey::remove( $connection->key_id );
		Delivery::forget_all();
		delete_option( Settings::CONNECTION );
		delete_option( Settings::TROUBLE );
		Log::note( 'Disconnected.' );
		return $heard;
	}

	/**
	 * Why pairing failed, in words that say what to do.
	 *
	 * @param Answer $answer The hub's.
	 */
	private static function reason( Answer $answer ): string {
		$told = $answer->message();
		if ( '' !== $told ) {
			return $told;
		}
		return match ( $answer->code ) {
			0       => __( 'The hub did not answer. Check the address, and that this server may reach it.', 'autofactura-hub' ),
			200     => __( 'Something answered at that address, but not as a hub does. Check the address.', 'autofactura-hub' ),
			403     => __( 'The code is wrong, used or older than 30 minutes. Ask the hub for a new one.', 'autofactura-hub' ),
			404, 405 => __( 'There is no hub at that address.', 'autofactura-hub' ),
			409     => __( 'This shop is connected elsewhere. Disconnect it there first.', 'autofactura-hub' ),
			429     => __( 'Too many tries. Wait some minutes.', 'autofactura-hub' ),
			/* translators: %d: HTTP status */
			default => sprintf( __( 'The hub refused (%d).', 'autofactura-hub' ), $answer->code ),
		};
	}
}
