<?php
/**
 * Requests to the hub.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * Every request has a short time limit, follows no redirect (it would carry secrets elsewhere) and
 * comes back as an Answer; nothing here throws.
 */
final class HubClient {

	/** Set while the hub does not answer, so that neither pages nor the queue wait for it again and again. */
	private const DOWN = 'autofactura_hub_down';
	/** Seconds. */
	private const DOWN_FOR = 60;

	/**
	 * Hand the key over in exchange for the connection's secrets.
	 *
	 * @param string               $hub  Address, checked.
	 * @param array<string, mixed> $data The protocol's fields.
	 */
	public static function pair( string $hub, array $data ): Answer {
		return self::send( 'POST', $hub . '/connect/woocommerce/pair', (string) wp_json_encode( $data ), array(), 20 );
	}

	/**
	 * How the hub sees the connection.
	 *
	 * @param Connection $connection The connection.
	 */
	public static function status( Connection $connection ): Answer {
		return self::signed( $connection, 'GET', '/status', '', 4 );
	}

	/**
	 * The invoice of an order.
	 *
	 * @param Connection $connection The connection.
	 * @param int        $order_id   The order.
	 */
	public static function order( Connection $connection, int $order_id ): Answer {
		return self::is_down() ? new Answer( 0 ) : self::signed( $connection, 'GET', '/orders/' . $order_id, '', 2 );
	}

	/**
	 * Say good-bye.
	 *
	 * @param Connection $connection The connection.
	 * @param bool       $tidied     Whether the hub's webhooks are gone already.
	 */
	public static function disconnect( Connection $connection, bool $tidied ): Answer {
		return self::signed( $connection, 'POST', '/disconnect', (string) wp_json_encode( array( 'tidied' => $tidied ) ), 3 );
	}

	/**
	 * An order as it is now, signed like a native webhook.
	 *
	 * @param Connection $connection The connection.
	 * @param string     $body       JSON.
	 */
	public static function deliver( Connection $connection, string $body ): Answer {
		if ( self::is_down() ) {
			return new Answer( 0, array(), self::DOWN_FOR );
		}
		$headers = array(
			'X-WC-Webhook-Topic'     => 'autofactura.order',
			'X-WC-Webhook-Source'    => home_url( '/' ),
			'X-WC-Webhook-Signature' => Signature::of_delivery( $connection->webhook_secret, $body ),
		);
		return self::send( 'POST', $connection->webhook_url, $body, $headers, 8 );
	}

	/** Whether the hub gave no answer within the last minute. */
	public static function is_down(): bool {
		return (bool) get_transient( self::DOWN );
	}

	/**
	 * A request that proves who asks, and when.
	 *
	 * @param Connection $connection The connection.
	 * @param string     $method     GET or POST.
	 * @param string     $path       Below the connection.
	 * @param string     $body       Raw body.
	 * @param int        $seconds    Time limit.
	 */
	private static function signed( Connection $connection, string $method, string $path, string $body, int $seconds ): Answer {
		$url     = $connection->hub . '/connect/woocommerce/' . $connection->id . $path;
		$time    = time();
		$headers = array(
			'X-Autofactura-Time'      => (string) $time,
			'X-Autofactura-Signature' => Signature::of_request( $connection->webhook_secret, $method, (string) wp_parse_url( $url, PHP_URL_PATH ), $time, $body ),
		);
		return self::send( $method, $url, $body, $headers, $seconds );
	}

	/**
	 * One request.
	 *
	 * @param string                $method  GET or POST.
	 * @param string                $url     Whole address.
	 * @param string                $body    Raw body, "" for none.
	 * @param array<string, string> $headers More headers.
	 * @param int                   $seconds Time limit.
	 */
	private static function send( string $method, string $url, string $body, array $headers, int $seconds ): Answer {
		$arguments = array(
			'method'              => $method,
			'timeout'             => $seconds,
			'redirection'         => 0,
			'limit_response_size' => 262144,
			'user-agent'          => 'Autofactura-Hub/' . Plugin::VERSION,
			'headers'             => array_merge(
				array(
					'Content-Type' => 'application/json',
					'Accept'       => 'application/json',
				),
				$headers
			),
		);
		if ( 'POST' === $method ) {
			$arguments['body'] = $body;
		}
		// The safe one refuses private addresses and odd ports: a hub on one's own machine needs the other.
		$got = HubAddress::http_allowed() ? wp_remote_request( $url, $arguments ) : wp_safe_remote_request( $url, $arguments );
		if ( is_wp_error( $got ) ) {
			set_transient( self::DOWN, 1, self::DOWN_FOR );
			Log::note( 'The hub did not answer (' . $got->get_error_code() . ').' );
			return new Answer( 0 );
		}
		$code = (int) wp_remote_retrieve_response_code( $got );
		// A gateway that says it cannot reach the hub counts as silence.
		in_array( $code, array( 502, 503, 504 ), true ) ? set_transient( self::DOWN, 1, self::DOWN_FOR ) : delete_transient( self::DOWN );
		$json  = json_decode( wp_remote_retrieve_body( $got ), true );
		$after = wp_remote_retrieve_header( $got, 'retry-after' );
		return new Answer( $code, is_array( $json ) ? $json : array(), is_string( $after ) && ctype_digit( $after ) ? (int) $after : null );
	}
}
