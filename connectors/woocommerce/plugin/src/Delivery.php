<?php
/**
 * Telling the hub of an order.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * WooCommerce's webhooks are never sent again after a failure, so this runs beside them: an action of
 * Action Scheduler per changed order, repeated for three days. The request that changed the order
 * only writes the action; it never waits for the hub and never fails because of it.
 */
final class Delivery {

	public const HOOK  = 'autofactura_hub_deliver';
	public const GROUP = 'autofactura-hub';
	/** Seconds: several changes in a row are told once. */
	private const SETTLES = 10;

	/**
	 * Orders already noted in this request.
	 *
	 * @var array<int, true>
	 */
	private static array $noted = array();

	/** Listen to whatever changes an order. */
	public static function start(): void {
		$events = array( 'woocommerce_order_status_changed', 'woocommerce_payment_complete', 'woocommerce_order_refunded', 'woocommerce_new_order', 'woocommerce_update_order', 'woocommerce_trash_order', 'woocommerce_untrash_order' );
		foreach ( $events as $event ) {
			add_action( $event, array( self::class, 'note' ), 100, 1 );
		}
		// WooCommerce's own webhooks do not tell of these: a refund taken back, by a person or by the REST API.
		add_action( 'woocommerce_refund_deleted', array( self::class, 'note_refund_deleted' ), 100, 2 );
		add_action( 'woocommerce_rest_delete_shop_order_refund_object', array( self::class, 'note_parent' ), 100, 1 );
		add_action( self::HOOK, array( self::class, 'run' ), 10, 1 );
	}

	/**
	 * An order changed.
	 *
	 * @param int $order_id The order.
	 */
	public static function note( $order_id ): void {
		$order_id = (int) $order_id;
		if ( isset( self::$noted[ $order_id ] ) || ! function_exists( 'as_schedule_single_action' ) || ! Connection::live() ) {
			return;
		}
		try {
			$order = wc_get_order( $order_id );
			// Orders never paid are no business of the hub; the date stays on cancelled and refunded ones.
			if ( $order instanceof \WC_Order && 'shop_order' === $order->get_type() && $order->get_date_paid() ) {
				self::$noted[ $order_id ] = true;
				self::schedule( $order_id, time() + self::SETTLES );
				Kick::at_the_end();
			}
		} catch ( \Throwable $error ) {
			Log::note( 'Order ' . $order_id . ' could not be queued (' . get_class( $error ) . ').', 'error' );
		}
	}

	/**
	 * A refund was taken back.
	 *
	 * @param int $refund_id The refund.
	 * @param int $order_id  Its order.
	 */
	public static function note_refund_deleted( $refund_id, $order_id ): void {
		self::note( $order_id );
	}

	/**
	 * The same by the REST API.
	 *
	 * @param \WC_Order_Refund $refund Deleted.
	 */
	public static function note_parent( $refund ): void {
		self::note( $refund->get_parent_id() );
	}

	/**
	 * Tell the hub now. Called by Action Scheduler.
	 *
	 * @param int $order_id The order.
	 */
	public static function run( $order_id ): void {
		$order_id   = (int) $order_id;
		$connection = Connection::live();
		unset( self::$noted[ $order_id ] );
		if ( null === $connection ) {
			return;
		}
		try {
			$order  = wc_get_order( $order_id );
			$answer = $order instanceof \WC_Order ? self::send( $connection, $order ) : new Answer( 200 );
		} catch ( \Throwable $error ) {
			Log::note( 'Order ' . $order_id . ' could not be read (' . get_class( $error ) . ').', 'error' );
			$answer = new Answer( 0 );
		}
		self::settle( $order_id, $answer );
	}

	/**
	 * The whole order; if the hub finds it too large, only its id, and the hub fetches.
	 *
	 * @param Connection $connection The connection.
	 * @param \WC_Order  $order      The order.
	 */
	private static function send( Connection $connection, \WC_Order $order ): Answer {
		$hint   = (string) wp_json_encode( array( 'id' => $order->get_id() ) );
		$body   = Snapshot::of( $order, $connection->user_id ) ?? $hint;
		$answer = HubClient::deliver( $connection, $body );
		return 'smaller' === Backoff::verdict( $answer->code ) && $body !== $hint ? HubClient::deliver( $connection, $hint ) : $answer;
	}

	/**
	 * What follows from the hub's answer.
	 *
	 * @param int    $order_id The order.
	 * @param Answer $answer   The hub's.
	 */
	private static function settle( int $order_id, Answer $answer ): void {
		$option  = Settings::RETRY . $order_id;
		$verdict = Backoff::verdict( $answer->code );
		if ( 'done' === $verdict ) {
			delete_option( $option );
			delete_option( Settings::TROUBLE );
			return;
		}
		if ( 'again' === $verdict ) {
			$tries    = get_option( $option );
			$since    = is_array( $tries ) ? (int) $tries['since'] : time();
			$failures = 1 + ( is_array( $tries ) ? (int) $tries['failures'] : 0 );
			$wait     = Backoff::wait( $failures, time() - $since, $answer->retry_after );
			if ( null !== $wait ) {
				update_option( $option, array( 'failures' => $failures, 'since' => $since ), false ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing.AssociativeArrayFound -- short.
				self::schedule( $order_id, time() + $wait );
				return;
			}
		}
		delete_option( $option );
		update_option( Settings::TROUBLE, array( 'code' => $answer->code, 'at' => time() ), false ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing.AssociativeArrayFound -- short.
		Log::note( 'Order ' . $order_id . ' was not taken by the hub (' . $answer->code . ').', 'error' );
	}

	/**
	 * One pending action per order, at the earlier of two times.
	 *
	 * @param int $order_id The order.
	 * @param int $when     Unix seconds.
	 */
	private static function schedule( int $order_id, int $when ): void {
		$pending = as_next_scheduled_action( self::HOOK, array( $order_id ), self::GROUP );
		if ( is_int( $pending ) ) {
			if ( $pending <= $when ) {
				return;
			}
			as_unschedule_action( self::HOOK, array( $order_id ), self::GROUP );
		}
		// One that runs right now may have read the order before this change: it does not count.
		as_schedule_single_action( $when, self::HOOK, array( $order_id ), self::GROUP );
	}

	/** When the oldest waiting delivery should have run; null if none is waiting. */
	public static function oldest_due_at(): ?int {
		if ( ! function_exists( 'as_get_scheduled_actions' ) ) {
			return null;
		}
		$found = as_get_scheduled_actions(
			array(
				'hook'     => self::HOOK,
				'group'    => self::GROUP,
				'status'   => \ActionScheduler_Store::STATUS_PENDING,
				'per_page' => 1,
				'orderby'  => 'date',
				'order'    => 'ASC',
			)
		);
		$first = reset( $found );
		$date  = $first ? $first->get_schedule()->get_date() : null;
		return $date ? $date->getTimestamp() : null;
	}

	/** Nothing of ours stays in the queue. */
	public static function forget_all(): void {
		global $wpdb;
		if ( function_exists( 'as_unschedule_all_actions' ) ) {
			as_unschedule_all_actions( self::HOOK );
		}
		$like = $wpdb->esc_like( Settings::RETRY ) . '%';
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- options by prefix; there is no function for it.
		$names = $wpdb->get_col( $wpdb->prepare( "SELECT option_name FROM {$wpdb->options} WHERE option_name LIKE %s", $like ) );
		array_map( 'delete_option', $names );
	}
}
