<?php
/**
 * Put among the must-use plug-ins of the shop while the tests run, and taken away afterwards.
 *
 * A bank transfer counts as paid at once, so that a checkout ends with a paid order; and nothing
 * starts the queue of the shop but the tests.
 */

defined( 'AUTOFACTURA_ALLOW_HTTP' ) || define( 'AUTOFACTURA_ALLOW_HTTP', true );
add_filter( 'woocommerce_bacs_process_payment_order_status', static fn () => 'processing' );
add_filter( 'autofactura_hub_kick_queue', '__return_false' );
add_filter( 'action_scheduler_allow_async_request_runner', '__return_false' );
