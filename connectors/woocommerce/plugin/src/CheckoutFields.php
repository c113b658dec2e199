<?php
/**
 * Fiscal data in the block checkout.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * A checkbox "I want an invoice"; behind it five optional fields. They are kept with the order
 * (location "order"), not with the account. WooCommerce before 10.0 shows the fields without the tick.
 */
final class CheckoutFields {

	/** Metas of the order, as WooCommerce itself names additional fields of this location. */
	public const META = '_wc_other/autofactura/';

	private const NAME = 'autofactura/';

	/** Hook in. */
	public static function start(): void {
		add_action( 'woocommerce_init', array( self::class, 'register' ) );
		add_action( 'woocommerce_blocks_validate_location_order_fields', array( self::class, 'validate' ), 10, 2 );
		add_action( 'woocommerce_store_api_checkout_order_processed', array( self::class, 'clean' ) );
	}

	/** Tell WooCommerce of the fields. */
	public static function register(): void {
		if ( ! self::active() || ! function_exists( 'woocommerce_register_additional_checkout_field' ) ) {
			return;
		}
		woocommerce_register_additional_checkout_field(
			array(
				'id'            => self::NAME . 'quiero',
				'label'         => self::wish(),
				// A box that may stay empty says so by itself.
				'optionalLabel' => self::wish(),
				'location'      => 'order',
				'type'          => 'checkbox',
			)
		);
		foreach ( FiscalRules::FIELDS as $field ) {
			woocommerce_register_additional_checkout_field( self::definition( $field ) );
		}
	}

	/** Whether this shop's checkout asks. */
	public static function active(): bool {
		return Settings::asks_at_checkout() && null !== Connection::live();
	}

	/** The label of the checkbox. */
	public static function wish(): string {
		return __( 'I want an invoice (CFDI)', 'autofactura-hub' );
	}

	/**
	 * Régimen or use for a list to choose from: clave => words.
	 *
	 * @param string $field "regimen" or "uso".
	 * @return array<string, string>
	 */
	public static function options( string $field ): array {
		$options = array();
		foreach ( 'regimen' === $field ? Catalogs::regimenes() : Catalogs::usos() as $clave => $row ) {
			$options[ (string) $clave ] = $clave . ' ' . $row['nombre'];
		}
		return $options;
	}

	/**
	 * The data as typed, put in order; array() unless the buyer wants an invoice.
	 *
	 * @param mixed                $wants  The checkbox.
	 * @param array<string, mixed> $values Field => value.
	 * @return array<string, string>
	 */
	public static function read( $wants, array $values ): array {
		if ( ! in_array( $wants, array( true, 1, '1', 'yes', 'on' ), true ) ) {
			return array();
		}
		$data = array();
		foreach ( FiscalRules::FIELDS as $field ) {
			$data[ $field ] = FiscalRules::normalize( $field, is_string( $values[ $field ] ?? null ) ? $values[ $field ] : '' );
		}
		return $data;
	}

	/**
	 * Say what is wrong before the order is paid.
	 *
	 * @param \WP_Error            $errors Collects.
	 * @param array<string, mixed> $fields `autofactura/rfc` and others.
	 */
	public static function validate( $errors, $fields ): void {
		$values = array();
		foreach ( (array) $fields as $key => $value ) {
			if ( str_starts_with( (string) $key, self::NAME ) ) {
				$values[ substr( (string) $key, strlen( self::NAME ) ) ] = $value;
			}
		}
		$data = self::active() ? self::read( $values['quiero'] ?? false, $values ) : array();
		foreach ( FiscalRules::errors( $data ) as $field => $code ) {
			$errors->add( 'autofactura_' . $field, Wording::error( $code ) );
		}
	}

	/**
	 * Who wants no invoice leaves no fiscal data behind, nor a "no" in the mails.
	 *
	 * @param \WC_Order $order The order just placed.
	 */
	public static function clean( $order ): void {
		if ( ! $order instanceof \WC_Order || $order->get_meta( self::META . 'quiero' ) ) {
			return;
		}
		$found = false;
		foreach ( array( 'quiero', ...FiscalRules::FIELDS ) as $field ) {
			if ( $order->meta_exists( self::META . $field ) ) {
				$order->delete_meta_data( self::META . $field );
				$found = true;
			}
		}
		if ( $found ) {
			$order->save_meta_data();
		}
	}

	/**
	 * One field as WooCommerce wants it.
	 *
	 * @param string $field One of FiscalRules::FIELDS.
	 * @return array<string, mixed>
	 */
	private static function definition( string $field ): array {
		$listed     = in_array( $field, array( 'regimen', 'uso' ), true );
		$definition = array(
			'id'                => self::NAME . $field,
			'label'             => Wording::field( $field ),
			'location'          => 'order',
			'type'              => $listed ? 'select' : 'text',
			'sanitize_callback' => static fn ( $value ) => FiscalRules::normalize( $field, is_string( $value ) ? $value : '' ),
		);
		if ( $listed ) {
			$definition['options'] = array();
			foreach ( self::options( $field ) as $value => $label ) {
				$definition['options'][] = array(
					'value' => (string) $value,
					'label' => $label,
				);
			}
		} else {
			$definition['attributes'] = array(
				'autocapitalize' => 'characters',
				'maxLength'      => array(
					'rfc' => 20,
					'cp'  => 5,
				)[ $field ] ?? 300,
			);
		}
		// Before 10.0 a rule is not understood.
		if ( version_compare( WC()->version, '10.0', '>=' ) ) {
			$definition['hidden'] = self::unless_wished();
		}
		return $definition;
	}

	/**
	 * JSON schema that holds while the box is not ticked.
	 *
	 * @see https://developer.woocommerce.com/docs/block-development/extensible-blocks/cart-and-checkout-blocks/additional-checkout-fields/
	 * @return array<string, mixed>
	 */
	private static function unless_wished(): array {
		$unticked = array( 'not' => array( 'const' => true ) );
		return array(
			'checkout' => array(
				'properties' => array(
					'additional_fields' => array(
						'properties' => array( self::NAME . 'quiero' => $unticked ),
					),
				),
			),
		);
	}
}
