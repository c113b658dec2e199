<?php
/**
 * Personal data.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * The fiscal data of the checkout take part in WooCommerce's own export and erasure of orders.
 */
final class Privacy {

	/** Hook in. */
	public static function start(): void {
		add_filter( 'woocommerce_privacy_export_order_personal_data_meta', array( self::class, 'to_export' ) );
		add_filter( 'woocommerce_privacy_remove_order_personal_data_meta', array( self::class, 'to_erase' ) );
		add_filter( 'woocommerce_privacy_remove_order_personal_data_meta_value', array( self::class, 'erased' ), 10, 2 );
		add_action( 'admin_init', array( self::class, 'suggest_policy' ) );
	}

	/**
	 * Names of our metas for an export.
	 *
	 * @param array<string, string> $metas Key => name.
	 */
	public static function to_export( $metas ) {
		foreach ( FiscalRules::FIELDS as $field ) {
			$metas[ CheckoutFields::META . $field ] = Wording::field( $field );
		}
		return $metas;
	}

	/**
	 * Our metas for an erasure.
	 *
	 * @param array<string, string> $metas Key => kind.
	 */
	public static function to_erase( $metas ) {
		foreach ( array( ...FiscalRules::FIELDS, 'quiero' ) as $field ) {
			$metas[ CheckoutFields::META . $field ] = 'text';
		}
		return $metas;
	}

	/**
	 * Ours are deleted, not written over: "[deleted]" is no RFC.
	 *
	 * @param string $value What would stand there.
	 * @param string $key   The meta.
	 */
	public static function erased( $value, $key ) {
		return str_starts_with( (string) $key, CheckoutFields::META ) ? '' : $value;
	}

	/** A paragraph for the shop's privacy policy. */
	public static function suggest_policy(): void {
		if ( function_exists( 'wp_add_privacy_policy_content' ) ) {
			$text = __( 'When an order is paid, we send it to our invoicing system (names, contact data, products, amounts, and tax data if you gave them), so that you can get your invoice (CFDI). When you ask for the invoice, your tax data go from there to a certified provider (PAC) and to SAT, as the law demands.', 'autofactura-hub' );
			wp_add_privacy_policy_content( 'Autofactura Hub', wp_kses_post( wpautop( $text ) ) );
		}
	}
}
