<?php
/**
 * Removed for good: tell the hub, revoke its key, leave nothing behind. Orders keep the tax data buyers gave.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

require_once __DIR__ . '/src/autoload.php';

/**
 * One site.
 */
function uninstall_site(): void {
	global $wpdb;
	Pairing::disconnect();
	Delivery::forget_all();
	foreach ( array( Settings::CHOICES, Settings::CONNECTION, Settings::TROUBLE ) as $option ) {
		delete_option( $option );
	}
	foreach ( array( '_transient_autofactura_hub_', '_transient_timeout_autofactura_hub_' ) as $prefix ) {
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- transients by prefix; there is no function for it.
		$wpdb->query( $wpdb->prepare( "DELETE FROM {$wpdb->options} WHERE option_name LIKE %s", $wpdb->esc_like( $prefix ) . '%' ) );
	}
	wp_cache_flush();
}

if ( is_multisite() ) {
	foreach ( get_sites( array( 'fields' => 'ids', 'number' => 0 ) ) as $site ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing.AssociativeArrayFound -- short.
		switch_to_blog( $site );
		uninstall_site();
		restore_current_blog();
	}
} else {
	uninstall_site();
}
