<?php
/**
 * Plugin Name: Autofactura Hub for WooCommerce
 * Description: Gives every paid order a link to its Mexican CFDI 4.0 invoice, made by your own autofactura-hub.
 * Version: 1.0.0
 * Requires at least: 6.5
 * Requires PHP: 8.1
 * Requires Plugins: woocommerce
 * WC requires at least: 8.9
 * WC tested up to: 11.0
 * Author: The autofactura-hub contributors
 * License: GPL-2.0-or-later
 * License URI: https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain: autofactura-hub
 * Domain Path: /languages
 *
 * @package Autofactura\Hub
 */

defined( 'ABSPATH' ) || exit;

define( 'AUTOFACTURA_HUB_FILE', __FILE__ );
require_once __DIR__ . '/src/autoload.php';

add_action(
	'before_woocommerce_init',
	static function () {
		foreach ( array( 'custom_order_tables', 'cart_checkout_blocks' ) as $feature ) {
			\Automattic\WooCommerce\Utilities\FeaturesUtil::declare_compatibility( $feature, AUTOFACTURA_HUB_FILE, true );
		}
	}
);
add_action( 'woocommerce_loaded', array( \Autofactura\Hub\Plugin::class, 'start' ) );
register_deactivation_hook( __FILE__, array( \Autofactura\Hub\Plugin::class, 'deactivate' ) );
