<?php
/**
 * Where everything is hooked up.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * Started once WooCommerce is loaded; without WooCommerce nothing of this runs.
 */
final class Plugin {

	public const VERSION = '1.0.0';

	/** Hook everything up. */
	public static function start(): void {
		add_filter( 'load_textdomain_mofile', array( self::class, 'any_spanish' ), 10, 2 );
		// Before WooCommerce's own init (0), where the fields of the checkout get their labels.
		add_action( 'init', array( self::class, 'load_words' ), -1 );
		Places::start();
		CheckoutFields::start();
		ClassicCheckout::start();
		Delivery::start();
		Subscriptions::start();
		Privacy::start();
		add_filter( 'woocommerce_webhook_should_deliver', array( self::class, 'webhook_is_ours_to_send' ), 10, 2 );
		if ( is_admin() ) {
			MetaBox::start();
			SettingsPage::start();
		}
	}

	/** Translations of this folder; those of WordPress's language packs win. */
	public static function load_words(): void {
		load_plugin_textdomain( 'autofactura-hub', false, dirname( plugin_basename( AUTOFACTURA_HUB_FILE ) ) . '/languages' );
	}

	/**
	 * Mexican shops often run WordPress in the Spanish of Spain: any Spanish gets ours.
	 *
	 * @param string $file   The file about to be read.
	 * @param string $domain The text domain.
	 */
	public static function any_spanish( $file, $domain ) {
		if ( 'autofactura-hub' !== $domain || is_readable( $file ) || ! str_starts_with( determine_locale(), 'es' ) ) {
			return $file;
		}
		return dirname( __DIR__ ) . '/languages/autofactura-hub-es_MX.mo';
	}

	/**
	 * The hub's native webhooks were copied with the database: a copy of the shop keeps them silent.
	 *
	 * @param bool        $should  WooCommerce's own answer.
	 * @param \WC_Webhook $webhook Any webhook.
	 */
	public static function webhook_is_ours_to_send( $should, $webhook ) {
		$connection = $should ? Connection::get() : null;
		if ( $connection && $connection->is_copy() && $webhook->get_delivery_url() === $connection->webhook_url ) {
			return false;
		}
		return $should;
	}

	/** Switched off: nothing of ours stays in the queue. The connection stays for when it is on again. */
	public static function deactivate(): void {
		Delivery::forget_all();
	}
}
