<?php
/**
 * What the merchant chose, and the connection.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * Two options: choices (shown), connection (holds secrets, never shown).
 */
final class Settings {

	public const CHOICES    = 'autofactura_hub_settings';
	public const CONNECTION = 'autofactura_hub_connection';
	/** What the hub last refused, for the health panel: array{code: int, at: int}. */
	public const TROUBLE = 'autofactura_hub_trouble';
	/** Failed tries of one order, followed by its id: array{failures: int, since: int}. */
	public const RETRY = 'autofactura_hub_retry_';

	/** Where the link can stand. */
	public const PLACES = array( 'thankyou', 'order', 'list', 'mail', 'admin' );

	/**
	 * A place is on unless the merchant switched it off.
	 *
	 * @param string $place One of PLACES.
	 */
	public static function shows( string $place ): bool {
		return (bool) ( self::choices()[ 'show_' . $place ] ?? true );
	}

	/**
	 * The merchant's own words for the link at a place, "" for ours.
	 *
	 * @param string $place One of PLACES.
	 */
	public static function text( string $place ): string {
		return (string) ( self::choices()[ 'text_' . $place ] ?? '' );
	}

	/** Whether the checkout asks for fiscal data. */
	public static function asks_at_checkout(): bool {
		return (bool) ( self::choices()['checkout'] ?? true );
	}

	/**
	 * Statuses of the merchant's own that mean "paid", without `wc-`.
	 *
	 * @return string[]
	 */
	public static function extra_statuses(): array {
		return (array) ( self::choices()['statuses'] ?? array() );
	}

	/**
	 * Everything chosen.
	 *
	 * @return array<string, mixed>
	 */
	public static function choices(): array {
		return (array) get_option( self::CHOICES, array() );
	}

	/**
	 * Keep what the settings page sent; what it does not name is switched off.
	 *
	 * @param array<string, mixed> $posted Unslashed input, not trusted.
	 */
	public static function save( array $posted ): void {
		$choices = array( 'checkout' => ! empty( $posted['checkout'] ) );
		foreach ( self::PLACES as $place ) {
			$choices[ 'show_' . $place ] = ! empty( $posted[ 'show_' . $place ] );
			$text                        = $posted[ 'text_' . $place ] ?? '';
			$choices[ 'text_' . $place ] = mb_substr( sanitize_text_field( is_string( $text ) ? $text : '' ), 0, 120 );
		}
		$known               = array_map( array( self::class, 'without_prefix' ), array_keys( wc_get_order_statuses() ) );
		$wanted              = array_filter( (array) ( $posted['statuses'] ?? array() ), 'is_string' );
		$choices['statuses'] = array_values( array_intersect( $wanted, $known, self::offered_statuses() ) );
		update_option( self::CHOICES, $choices );
	}

	/**
	 * Statuses a merchant may call "paid": not WooCommerce's own, whose meaning is fixed.
	 *
	 * @return string[]
	 */
	public static function offered_statuses(): array {
		$own = array( 'pending', 'processing', 'on-hold', 'completed', 'cancelled', 'refunded', 'failed', 'checkout-draft' );
		return array_values( array_diff( array_map( array( self::class, 'without_prefix' ), array_keys( wc_get_order_statuses() ) ), $own ) );
	}

	/**
	 * A status as orders tell it.
	 *
	 * @param string $status With or without `wc-`.
	 */
	private static function without_prefix( string $status ): string {
		return str_starts_with( $status, 'wc-' ) ? substr( $status, 3 ) : $status;
	}
}
