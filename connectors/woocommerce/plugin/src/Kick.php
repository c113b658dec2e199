<?php
/**
 * A push for the queue.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * Action Scheduler starts its asynchronous runner only from wp-admin; a shop with few visits would
 * wait for WP-Cron. So a request that changed a paid order starts it too, without waiting for it,
 * as often as Action Scheduler itself would (its lock: once a minute).
 */
final class Kick {

	/** Once, when this request is over. */
	public static function at_the_end(): void {
		// After WooCommerce has queued its webhooks (10).
		if ( ! is_admin() && ! wp_doing_cron() && ! has_action( 'shutdown', array( self::class, 'now' ) ) ) {
			add_action( 'shutdown', array( self::class, 'now' ), 99 );
		}
	}

	/** Start the runner if something is due. */
	public static function now(): void {
		if ( ! class_exists( \ActionScheduler_AsyncRequest_QueueRunner::class ) || ! apply_filters( 'autofactura_hub_kick_queue', true ) ) {
			return;
		}
		try {
			if ( ! \ActionScheduler::lock()->is_locked( 'async-request-runner' ) && \ActionScheduler::lock()->set( 'async-request-runner' ) ) {
				( new \ActionScheduler_AsyncRequest_QueueRunner( \ActionScheduler::store() ) )->maybe_dispatch();
			}
		} catch ( \Throwable $error ) {
			Log::note( 'The queue could not be started (' . get_class( $error ) . '); WP-Cron will.', 'warning' );
		}
	}
}
