<?php
/**
 * Fiscal data in the classic checkout.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * The same fields, rules and metas for the shortcode [woocommerce_checkout], which does not show
 * the fields registered for the block one.
 */
final class ClassicCheckout {

	private const NAME = 'autofactura_';

	/** Hook in. */
	public static function start(): void {
		add_filter( 'woocommerce_checkout_fields', array( self::class, 'add' ) );
		add_action( 'woocommerce_before_order_notes', array( self::class, 'style' ) );
		add_action( 'woocommerce_after_checkout_validation', array( self::class, 'validate' ), 10, 2 );
		add_action( 'woocommerce_checkout_create_order', array( self::class, 'keep' ), 10, 2 );
	}

	/**
	 * Add the fields beside the order's notes.
	 *
	 * @param array<string, array<string, mixed>> $fields By section.
	 */
	public static function add( $fields ) {
		if ( ! CheckoutFields::active() ) {
			return $fields;
		}
		$added = array(
			self::NAME . 'quiero' => array(
				'type'     => 'checkbox',
				'label'    => CheckoutFields::wish(),
				'required' => false,
				'class'    => array( 'form-row-wide' ),
			),
		);
		foreach ( FiscalRules::FIELDS as $field ) {
			$added[ self::NAME . $field ] = self::definition( $field );
		}
		$fields['order'] = array_merge( $added, $fields['order'] ?? array() );
		return $fields;
	}

	/** The fields come with the tick, without a script; a browser that does not know :has() shows them always. */
	public static function style(): void {
		if ( CheckoutFields::active() ) {
			echo '<style>#autofactura_quiero_field .optional{display:none}@supports selector(:has(*)){form.checkout:not(:has(#autofactura_quiero:checked)) .autofactura-hub-field{display:none}}</style>';
		}
	}

	/**
	 * Say what is wrong before the order is paid.
	 *
	 * @param array<string, mixed> $posted What WooCommerce read.
	 * @param \WP_Error            $errors Collects.
	 */
	public static function validate( $posted, $errors ): void {
		foreach ( FiscalRules::errors( self::data( (array) $posted ) ) as $field => $code ) {
			$message = '<strong>' . esc_html( Wording::field( $field ) ) . '</strong>: ' . esc_html( Wording::error( $code ) );
			$errors->add( self::NAME . $field, $message, array( 'id' => self::NAME . $field ) );
		}
	}

	/**
	 * Keep the data with the order, under the same keys as the block checkout does.
	 *
	 * @param \WC_Order            $order  Not saved yet.
	 * @param array<string, mixed> $posted What WooCommerce read.
	 */
	public static function keep( $order, $posted ): void {
		$data = self::data( (array) $posted );
		if ( array() !== $data ) {
			$order->update_meta_data( CheckoutFields::META . 'quiero', '1' );
		}
		foreach ( array_filter( $data, 'strlen' ) as $field => $value ) {
			$order->update_meta_data( CheckoutFields::META . $field, $value );
		}
	}

	/**
	 * The data of the form.
	 *
	 * @param array<string, mixed> $posted What WooCommerce read.
	 * @return array<string, string>
	 */
	private static function data( array $posted ): array {
		if ( ! CheckoutFields::active() ) {
			return array();
		}
		$values = array();
		foreach ( FiscalRules::FIELDS as $field ) {
			$values[ $field ] = $posted[ self::NAME . $field ] ?? '';
		}
		return CheckoutFields::read( $posted[ self::NAME . 'quiero' ] ?? false, $values );
	}

	/**
	 * One field as WooCommerce wants it.
	 *
	 * @param string $field One of FiscalRules::FIELDS.
	 * @return array<string, mixed>
	 */
	private static function definition( string $field ): array {
		$definition = array(
			'type'     => 'text',
			'label'    => Wording::field( $field ),
			'required' => false,
			'class'    => array( 'form-row-wide', 'autofactura-hub-field' ),
		);
		if ( 'regimen' === $field || 'uso' === $field ) {
			$definition['type']    = 'select';
			$definition['options'] = array( '' => __( 'Choose…', 'autofactura-hub' ) ) + CheckoutFields::options( $field );
		}
		if ( 'cp' === $field ) {
			$definition['custom_attributes'] = array( 'inputmode' => 'numeric' );
		}
		return $definition;
	}
}
