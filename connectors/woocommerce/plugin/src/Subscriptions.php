<?php
/**
 * WooCommerce Subscriptions.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * Renewals copy the order's metas. The buyer's fiscal data should come along; what the hub noted
 * about one invoice must not, or a renewal would look invoiced. Nothing here trusts those notes.
 */
final class Subscriptions {

	private const OURS = '_autofactura_';

	/** Filters of both generations: data by key since 2.5 of its core, rows of a query before. */
	public static function start(): void {
		foreach ( array( 'renewal_order', 'resubscribe_order', 'subscription', 'switch_order', 'parent' ) as $kind ) {
			add_filter( "wc_subscriptions_{$kind}_data", array( self::class, 'without_ours' ) );
			add_filter( "wcs_{$kind}_meta", array( self::class, 'without_ours' ) );
		}
	}

	/**
	 * The same without metas of ours.
	 *
	 * @param mixed $metas Key => value, or rows with meta_key.
	 * @return mixed
	 */
	public static function without_ours( $metas ) {
		if ( ! is_array( $metas ) ) {
			return $metas;
		}
		foreach ( $metas as $index => $meta ) {
			$key = is_array( $meta ) && isset( $meta['meta_key'] ) ? $meta['meta_key'] : $index;
			if ( str_starts_with( (string) $key, self::OURS ) ) {
				unset( $metas[ $index ] );
			}
		}
		return $metas;
	}
}
