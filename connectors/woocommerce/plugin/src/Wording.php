<?php
/**
 * Words for codes.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * English sources; the translation to Mexican Spanish is what nearly everyone reads.
 */
final class Wording {

	/**
	 * The label of a fiscal field.
	 *
	 * @param string $field One of FiscalRules::FIELDS.
	 */
	public static function field( string $field ): string {
		return match ( $field ) {
			'rfc'     => __( 'RFC', 'autofactura-hub' ),
			'nombre'  => __( 'Name or company as registered with SAT', 'autofactura-hub' ),
			'cp'      => __( 'Postal code of the tax address', 'autofactura-hub' ),
			'regimen' => __( 'Tax regime', 'autofactura-hub' ),
			'uso'     => __( 'Use of the invoice', 'autofactura-hub' ),
			default   => $field,
		};
	}

	/**
	 * What is wrong with a fiscal field, and what to do.
	 *
	 * @param string $code Of FiscalRules::errors.
	 */
	public static function error( string $code ): string {
		return match ( $code ) {
			'rfc_malformed'     => __( 'The RFC has 12 characters for a company and 13 for a person, with a date that exists. Check it.', 'autofactura-hub' ),
			'rfc_generic'       => __( 'That RFC stands for the general public. Type your own, or untick "I want an invoice".', 'autofactura-hub' ),
			'nombre_too_long'   => __( 'The name is too long: 300 characters at most.', 'autofactura-hub' ),
			'nombre_characters' => __( 'The name has characters that an invoice cannot hold. Type it again.', 'autofactura-hub' ),
			'nombre_generic'    => __( 'That name stands for the general public. Type your own.', 'autofactura-hub' ),
			'cp_malformed'      => __( 'The postal code has 5 digits.', 'autofactura-hub' ),
			'regimen_unknown'   => __( 'Choose a tax regime of the list.', 'autofactura-hub' ),
			'regimen_person'    => __( 'That tax regime does not go with the RFC: companies (12 characters) and persons (13) have different ones.', 'autofactura-hub' ),
			'uso_unknown'       => __( 'Choose a use of the list.', 'autofactura-hub' ),
			'uso_regimen'       => __( 'That use does not go with your tax regime or your kind of RFC. Choose another; S01 goes with all.', 'autofactura-hub' ),
			default             => __( 'Check this field.', 'autofactura-hub' ),
		};
	}

	/**
	 * An invoice's state for the merchant.
	 *
	 * @param string $estado As the hub says it.
	 */
	public static function state( string $estado ): string {
		return match ( $estado ) {
			'abierta'       => __( 'Not invoiced yet', 'autofactura-hub' ),
			'procesando'    => __( 'Being invoiced', 'autofactura-hub' ),
			'por_confirmar' => __( 'Waiting for the provider\'s confirmation', 'autofactura-hub' ),
			'lista'         => __( 'Invoiced', 'autofactura-hub' ),
			'rechazada'     => __( 'Rejected: the buyer can correct the data', 'autofactura-hub' ),
			'vencida'       => __( 'The time to ask for an invoice is over', 'autofactura-hub' ),
			'cancelada'     => __( 'Cancelled', 'autofactura-hub' ),
			'en_revision'   => __( 'Waits for you in the hub (review)', 'autofactura-hub' ),
			'en_global'     => __( 'Part of a global invoice', 'autofactura-hub' ),
			default         => __( 'The hub does not know this order yet', 'autofactura-hub' ),
		};
	}

	/**
	 * The words of the link at a place: the merchant's, or ours.
	 *
	 * @param string $place One of Settings::PLACES.
	 */
	public static function link( string $place ): string {
		$own = Settings::text( $place );
		return '' !== $own ? $own : self::link_of_ours( $place );
	}

	/**
	 * Our words of the link at a place.
	 *
	 * @param string $place One of Settings::PLACES.
	 */
	public static function link_of_ours( string $place ): string {
		return match ( $place ) {
			'list'  => __( 'Invoice', 'autofactura-hub' ),
			'admin' => __( 'Open the buyer\'s link', 'autofactura-hub' ),
			default => __( 'Get the invoice of this purchase', 'autofactura-hub' ),
		};
	}

	/**
	 * The name of a place on the settings page.
	 *
	 * @param string $place One of Settings::PLACES.
	 */
	public static function place( string $place ): string {
		return match ( $place ) {
			'thankyou' => __( 'Order received page', 'autofactura-hub' ),
			'order'    => __( 'Order in My account', 'autofactura-hub' ),
			'list'     => __( 'List of orders in My account', 'autofactura-hub' ),
			'mail'     => __( 'Mails to the customer', 'autofactura-hub' ),
			default    => __( 'Order in the administration', 'autofactura-hub' ),
		};
	}
}
