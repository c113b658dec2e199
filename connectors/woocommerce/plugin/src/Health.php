<?php
/**
 * Whether everything works.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * A list of findings, each with what to do. Only the settings page asks for it: it calls the hub.
 */
final class Health {

	private const LATE = 5 * MINUTE_IN_SECONDS;

	/**
	 * Everything there is to say: array( level, what, what to do ), level "good", "warning" or "bad".
	 *
	 * @param Connection $connection The connection.
	 * @return array<int, array{0: string, 1: string, 2: string}>
	 */
	public static function findings( Connection $connection ): array {
		return array_merge(
			self::copy( $connection ),
			$connection->is_copy() ? array() : self::hub( $connection ),
			self::key( $connection ),
			self::deliveries(),
			self::shop()
		);
	}

	/**
	 * Another address than at pairing.
	 *
	 * @param Connection $connection The connection.
	 * @return array<int, array{0: string, 1: string, 2: string}>
	 */
	private static function copy( Connection $connection ): array {
		if ( ! $connection->is_copy() ) {
			return array();
		}
		/* translators: 1: the shop's address when it was connected, 2: its address now */
		$what = sprintf( __( 'This shop was connected as %1$s and is %2$s now. Links, deliveries and the hub\'s webhooks are paused.', 'autofactura-hub' ), $connection->store_url, Connection::store() );
		return array( array( 'bad', $what, __( 'If this is a copy for trying things out, all is well. If the shop has moved, connect it again with a new code.', 'autofactura-hub' ) ) );
	}

	/**
	 * What the hub says.
	 *
	 * @param Connection $connection The connection.
	 * @return array<int, array{0: string, 1: string, 2: string}>
	 */
	private static function hub( Connection $connection ): array {
		$answer = HubClient::status( $connection );
		if ( ! $answer->is_good() ) {
			return array( self::silence( $answer ) );
		}
		$told       = $answer->json;
		$findings   = array();
		$findings[] = match ( $told['keys'] ?? '' ) {
			'ok'      => array( 'good', __( 'The hub can read orders.', 'autofactura-hub' ), '' ),
			'refused' => array( 'bad', __( 'WooCommerce refuses the hub\'s key.', 'autofactura-hub' ), __( 'A firewall or security plug-in may remove the Authorization header, or the key was revoked. Allow /wp-json/wc/ for the hub, or connect again.', 'autofactura-hub' ) ),
			default   => array( 'warning', __( 'The hub is still checking its key.', 'autofactura-hub' ), __( 'Reload this page in a minute.', 'autofactura-hub' ) ),
		};
		foreach ( array_filter( (array) ( $told['webhooks'] ?? array() ), 'is_array' ) as $webhook ) {
			if ( 'active' !== ( $webhook['status'] ?? '' ) ) {
				/* translators: 1: topic such as order.updated, 2: status such as disabled */
				$what       = sprintf( __( 'The webhook %1$s is %2$s.', 'autofactura-hub' ), sanitize_text_field( (string) ( $webhook['topic'] ?? '' ) ), sanitize_text_field( (string) ( $webhook['status'] ?? '' ) ) );
				$findings[] = array( 'warning', $what, __( 'The hub repairs it by itself once a day; this plug-in delivers meanwhile.', 'autofactura-hub' ) );
			}
		}
		foreach ( array_filter( (array) ( $told['problems'] ?? array() ), 'is_array' ) as $problem ) {
			$findings[] = array( 'bad', Answer::words_of( $problem ), '' );
		}
		$findings[] = self::last_heard( $told );
		$window     = is_array( $told['window'] ?? null ) ? Answer::words_of( $told['window'], 'text' ) : '';
		if ( '' !== $window ) {
			/* translators: %s: such as "until 30 days after the payment." */
			$findings[] = array( 'good', sprintf( __( 'Time to ask for an invoice: %s', 'autofactura-hub' ), lcfirst( $window ) ), '' );
		}
		return $findings;
	}

	/**
	 * The hub did not answer as it should.
	 *
	 * @param Answer $answer Its answer.
	 * @return array{0: string, 1: string, 2: string}
	 */
	private static function silence( Answer $answer ): array {
		if ( 'clock_skewed' === ( $answer->json['error']['code'] ?? '' ) ) {
			return array( 'bad', __( 'The clocks of this server and of the hub differ by more than 5 minutes.', 'autofactura-hub' ), __( 'Ask your hosting to set the clock by NTP.', 'autofactura-hub' ) );
		}
		return match ( $answer->code ) {
			401, 404 => array( 'bad', __( 'The hub does not know this connection any more.', 'autofactura-hub' ), __( 'Connect again with a new code.', 'autofactura-hub' ) ),
			/* translators: %d: HTTP status, 0 for no answer */
			default  => array( 'bad', sprintf( __( 'The hub does not answer (%d).', 'autofactura-hub' ), $answer->code ), __( 'Orders are kept and told for three days. See whether the hub runs and whether this server may reach it.', 'autofactura-hub' ) ),
		};
	}

	/**
	 * When the hub last heard of this shop.
	 *
	 * @param array<string, mixed> $told Its status.
	 * @return array{0: string, 1: string, 2: string}
	 */
	private static function last_heard( array $told ): array {
		$at = is_string( $told['last_delivery_at'] ?? null ) ? strtotime( $told['last_delivery_at'] ) : false;
		if ( false === $at ) {
			return array( 'good', __( 'The hub has not heard of an order yet.', 'autofactura-hub' ), '' );
		}
		/* translators: %s: a span of time such as "5 minutes" */
		return array( 'good', sprintf( __( 'The hub last heard of an order %s ago.', 'autofactura-hub' ), human_time_diff( $at ) ), '' );
	}

	/**
	 * The key's row.
	 *
	 * @param Connection $connection The connection.
	 * @return array<int, array{0: string, 1: string, 2: string}>
	 */
	private static function key( Connection $connection ): array {
		$findings = array();
		if ( ! ApiKey::exists( $connection->key_id ) ) {
			$findings[] = array( 'bad', __( 'The hub\'s REST API key was deleted.', 'autofactura-hub' ), __( 'Connect again with a new code.', 'autofactura-hub' ) );
		} elseif ( ! user_can( $connection->user_id, 'edit_shop_orders' ) ) {
			$findings[] = array( 'bad', __( 'The user who connected the hub may not read orders any more.', 'autofactura-hub' ), __( 'Connect again as a user who stays.', 'autofactura-hub' ) );
		}
		return $findings;
	}

	/**
	 * Our own queue.
	 *
	 * @return array<int, array{0: string, 1: string, 2: string}>
	 */
	private static function deliveries(): array {
		$findings = array();
		$oldest   = Delivery::oldest_due_at();
		if ( null !== $oldest && time() - $oldest > self::LATE ) {
			/* translators: %s: a span of time such as "5 minutes" */
			$what       = sprintf( __( 'Deliveries to the hub are late by %s: the queue of this shop does not run.', 'autofactura-hub' ), human_time_diff( $oldest ) );
			$findings[] = array( 'warning', $what, __( 'See WooCommerce → Status → Scheduled actions, and give WordPress a real cron job. The buyers\' links work all the same.', 'autofactura-hub' ) );
		}
		$trouble = get_option( Settings::TROUBLE );
		if ( is_array( $trouble ) ) {
			/* translators: 1: a span of time, 2: HTTP status, 0 for no answer */
			$what       = sprintf( __( 'A delivery of %1$s ago was given up (%2$d).', 'autofactura-hub' ), human_time_diff( (int) $trouble['at'] ), (int) $trouble['code'] );
			$findings[] = array( 'warning', $what, __( 'The hub asks for changed orders by itself every few minutes. If this stays, connect again.', 'autofactura-hub' ) );
		}
		return $findings;
	}

	/**
	 * The shop itself.
	 *
	 * @return array<int, array{0: string, 1: string, 2: string}>
	 */
	private static function shop(): array {
		$findings = array();
		if ( '' === (string) get_option( 'permalink_structure' ) ) {
			$findings[] = array( 'bad', __( 'Permalinks are plain: the hub cannot reach the REST API.', 'autofactura-hub' ), __( 'Choose any other structure under Settings → Permalinks.', 'autofactura-hub' ) );
		}
		if ( ! str_starts_with( Connection::store(), 'https://' ) ) {
			$findings[] = array( 'warning', __( 'The shop\'s address is not https.', 'autofactura-hub' ), __( 'Get a certificate (most hostings give one) and change the address under Settings → General.', 'autofactura-hub' ) );
		}
		$due  = array_keys( wp_get_ready_cron_jobs() );
		$late = array() === $due ? 0 : time() - (int) min( $due );
		if ( $late > 2 * self::LATE ) {
			/* translators: %s: a span of time such as "5 minutes" */
			$what       = sprintf( __( 'WP-Cron is late by %s.', 'autofactura-hub' ), human_time_diff( time() - $late ) );
			$findings[] = array( 'warning', $what, __( 'It runs on visits only, or is switched off by DISABLE_WP_CRON. A cron job of the hosting that calls wp-cron.php each minute mends it.', 'autofactura-hub' ) );
		}
		return $findings;
	}
}
