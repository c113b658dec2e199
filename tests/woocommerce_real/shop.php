<?php
/**
 * What the tests do inside the shop: `php shop.php DIR COMMAND JSON`, one line of JSON back.
 */

list( , $dir, $command, $given ) = $argv;
$env                    = parse_ini_file( "$dir/env" );
$given                  = json_decode( $given, true );
$_SERVER['HTTP_HOST']   = '127.0.0.1:' . $env['WOO_PORT'];
$_SERVER['SERVER_NAME'] = '127.0.0.1';
$_SERVER['REQUEST_URI'] = '/';
in_array( $command, array( 'activate', 'remove' ), true ) && define( 'WP_ADMIN', true );
'queue' === $command && define( 'DOING_CRON', true );
// WordPress looks for languages here only if the folder is there when it starts.
is_dir( "$dir/site/wp-content/languages" ) || mkdir( "$dir/site/wp-content/languages" );
require "$dir/site/wp-load.php";
require_once ABSPATH . 'wp-admin/includes/plugin.php';
wp_set_current_user( 1 );

const PLUGIN = 'autofactura-hub/autofactura-hub.php';

/** Once a shop: Spanish, a product with the tax in its price, a page with the classic checkout, a customer. */
function prepare(): array {
	// WordPress takes a language only if it has some file of it.
	$words = WP_CONTENT_DIR . '/languages/es_MX.mo';
	if ( ! file_exists( $words ) ) {
		require_once ABSPATH . 'wp-includes/pomo/mo.php';
		$catalogue = new MO();
		$catalogue->set_header( 'Language', 'es_MX' );
		$catalogue->add_entry( array( 'singular' => 'Dashboard', 'translations' => array( 'Escritorio' ) ) );
		$catalogue->export_to_file( $words );
	}
	update_option( 'WPLANG', 'es_MX' );
	update_option( 'woocommerce_bacs_settings', array( 'enabled' => 'yes', 'title' => 'Transferencia (SPEI)' ) );
	$product = wc_get_product_id_by_sku( 'AUTOFACTURA-1' );
	if ( ! $product ) {
		$made = new WC_Product_Simple();
		$made->set_name( 'Cafetera' );
		$made->set_sku( 'AUTOFACTURA-1' );
		$made->set_regular_price( '599.97' );
		$product = $made->save();
	}
	$classic = get_page_by_path( 'pagar' );
	if ( ! $classic ) {
		wp_insert_post( array( 'post_type' => 'page', 'post_status' => 'publish', 'post_title' => 'Pagar', 'post_name' => 'pagar', 'post_content' => '<!-- wp:shortcode -->[woocommerce_checkout]<!-- /wp:shortcode -->' ) );
	}
	if ( ! get_user_by( 'login', 'buyer' ) ) {
		wp_insert_user( array( 'user_login' => 'buyer', 'user_pass' => 'buyer', 'user_email' => 'buyer@example.test', 'role' => 'customer' ) );
	}
	as_unschedule_all_actions( 'woocommerce_deliver_webhook_async' );
	return array( 'product' => $product, 'wordpress' => get_bloginfo( 'version' ), 'woocommerce' => WC()->version, 'hpos' => get_option( 'woocommerce_custom_orders_table_enabled' ) );
}

/** A paid order of the customer's. */
function order( array $given ): array {
	$order = wc_create_order( array( 'customer_id' => get_user_by( 'login', 'buyer' )->ID ) );
	$order->add_product( wc_get_product( $given['product'] ), 1 );
	$order->set_address( array( 'first_name' => 'XOCHILT', 'last_name' => 'CASAS CHAVEZ', 'email' => 'buyer@example.test', 'country' => 'MX', 'state' => 'DF', 'postcode' => '36257', 'city' => 'México', 'address_1' => 'Calle 1' ), 'billing' );
	$order->set_payment_method( 'bacs' );
	$order->calculate_totals();
	$order->save();
	$order->payment_complete();
	return told( $order->get_id() );
}

/** Several at once. */
function orders( array $given ): array {
	return array_map( static fn () => order( $given ), range( 1, $given['count'] ) );
}

/** What the shop says of an order. */
function told( int $id ): array {
	$order = wc_get_order( $id );
	return array( 'id' => $id, 'total' => $order->get_total(), 'status' => $order->get_status(), 'received' => $order->get_checkout_order_received_url(), 'edit' => $order->get_edit_order_url(), 'link' => \Autofactura\Hub\Places::link( $order ) );
}

/** Give money back. */
function refund( array $given ): array {
	$made = wc_create_refund( array( 'order_id' => $given['order'], 'amount' => $given['amount'] ) );
	return is_wp_error( $made ) ? array( 'error' => $made->get_error_message() ) : told( $given['order'] );
}

/** The mails of an order, both kinds of each, by their name. */
function mails( array $given ): array {
	$made = array();
	foreach ( WC()->mailer()->get_emails() as $mail ) {
		if ( in_array( $mail->id, array( 'new_order', 'customer_processing_order', 'customer_completed_order', 'customer_invoice', 'customer_on_hold_order' ), true ) ) {
			$mail->object      = wc_get_order( $given['order'] );
			$mail->recipient   = 'buyer@example.test';
			$made[ $mail->id ] = array( 'html' => $mail->style_inline( $mail->get_content_html() ), 'plain' => $mail->get_content_plain() );
		}
	}
	return $made;
}

/** Let time pass for what waits in the queue, and run it. */
function queue( array $given ): array {
	global $wpdb;
	delete_transient( 'autofactura_hub_down' );
	$hooks = "'" . implode( "','", array_map( 'esc_sql', $given['hooks'] ) ) . "'";
	// phpcs:ignore WordPress.DB.PreparedSQL.InterpolatedNotPrepared -- escaped above.
	$due = $wpdb->get_col( "SELECT action_id FROM {$wpdb->prefix}actionscheduler_actions WHERE status = 'pending' AND hook IN ($hooks) ORDER BY scheduled_date_gmt, action_id" );
	$runner = ActionScheduler_QueueRunner::instance();
	foreach ( $due as $id ) {
		$runner->process_action( (int) $id, 'test' );
	}
	return array( 'run' => count( $due ) );
}

/** The webhooks there are. */
function webhooks(): array {
	$rows = array();
	foreach ( WC_Data_Store::load( 'webhook' )->get_webhooks_ids() as $id ) {
		$hook = wc_get_webhook( (int) $id );
		if ( ! $hook ) { // The hub takes it away just now.
			continue;
		}
		$rows[] = array( 'id' => $id, 'topic' => $hook->get_topic(), 'status' => $hook->get_status(), 'failures' => $hook->get_failure_count(), 'url' => $hook->get_delivery_url() );
	}
	return $rows;
}

/** Everything of ours that is in the database. */
function traces(): array {
	global $wpdb;
	return array(
		// WordPress's own note that there is something to uninstall is not ours.
		'options' => $wpdb->get_col( "SELECT option_name FROM {$wpdb->options} WHERE option_name LIKE '%autofactura%'" ),
		'keys'    => $wpdb->get_col( "SELECT description FROM {$wpdb->prefix}woocommerce_api_keys WHERE description LIKE 'Autofactura%'" ),
		'actions' => $wpdb->get_col( "SELECT action_id FROM {$wpdb->prefix}actionscheduler_actions WHERE hook LIKE 'autofactura%' AND status = 'pending'" ),
		'hooks'   => array_column( webhooks(), 'url' ),
	);
}

/** Switch the plug-in on. */
function activate(): array {
	$failed = activate_plugin( PLUGIN );
	return array( 'error' => is_wp_error( $failed ) ? $failed->get_error_message() : '' );
}

/** Deactivate and uninstall, as the page of plug-ins does; also what a killed run left behind. */
function remove(): array {
	deactivate_plugins( PLUGIN );
	if ( is_uninstallable_plugin( PLUGIN ) ) {
		uninstall_plugin( PLUGIN );
	}
	return traces();
}

/** Keys that a page of consent made. */
function revoke(): array {
	global $wpdb;
	return array( 'keys' => $wpdb->query( "DELETE FROM {$wpdb->prefix}woocommerce_api_keys WHERE description LIKE 'Autofactura%'" ) );
}

$answer = 'told' === $command ? told( $given['order'] ) : $command( $given );
echo "\n", wp_json_encode( $answer ), "\n";
