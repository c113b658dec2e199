<?php
/**
 * The fiscal data of a buyer.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * The hub's own rules for the fields of the checkout. Everything is optional here: what is left
 * empty, the invoice's page asks for later. Errors are codes; `Wording` says them in words.
 */
final class FiscalRules {

	public const FIELDS = array( 'rfc', 'nombre', 'cp', 'regimen', 'uso' );

	private const GENERIC       = array( 'XAXX010101000', 'XEXX010101000' );
	private const GENERIC_NAMES = array( 'PUBLICO EN GENERAL', 'PÚBLICO EN GENERAL' );

	/**
	 * As SAT writes it: capitals, single blanks, no invisible characters; an RFC of letters, digits and & only.
	 *
	 * @param string $field One of FIELDS.
	 * @param string $value What was typed.
	 */
	public static function normalize( string $field, string $value ): string {
		$value = mb_substr( wp_check_invalid_utf8( $value ), 0, 1000 );
		$value = (string) preg_replace( '/\p{Cf}/u', '', $value );
		$named = 'nombre' === $field;
		if ( class_exists( \Normalizer::class ) ) {
			// Full-width digits are digits; a name keeps its letters.
			$value = (string) \Normalizer::normalize( $value, $named ? \Normalizer::FORM_C : \Normalizer::FORM_KC );
		}
		// WordPress replaces mb_substr where PHP lacks it, but not this one.
		$value = function_exists( 'mb_strtoupper' ) ? mb_strtoupper( $value ) : strtoupper( $value );
		$value = trim( (string) preg_replace( '/[\s\p{Z}]+/u', ' ', $value ) );
		if ( $named ) {
			return $value;
		}
		return (string) preg_replace( 'rfc' === $field ? '/[^\p{L}\p{N}&]/u' : '/ /', '', $value );
	}

	/**
	 * What is wrong: field => code. Data are taken as normalised; empty ones are not judged.
	 *
	 * @param array<string, string> $data Any of FIELDS.
	 * @return array<string, string>
	 */
	public static function errors( array $data ): array {
		$data   = array_merge( array_fill_keys( self::FIELDS, '' ), array_map( 'strval', $data ) );
		$person = self::person( $data['rfc'] );
		return array_filter(
			array(
				'rfc'     => self::rfc_error( $data['rfc'] ),
				'nombre'  => self::nombre_error( $data['nombre'] ),
				'cp'      => self::cp_error( $data['cp'] ),
				'regimen' => self::regimen_error( $data['regimen'], $person ),
				'uso'     => self::uso_error( $data['uso'], $data['regimen'], $person ),
			)
		);
	}

	/**
	 * A company's RFC has 12 characters, a person's 13; null if it has not the form of one.
	 *
	 * @param string $rfc Normalised.
	 */
	public static function person( string $rfc ): ?string {
		if ( ! preg_match( '/^[A-Z&Ñ]{3,4}([0-9]{2})([0-9]{2})([0-9]{2})[A-Z0-9]{2}[0-9A]$/Du', $rfc, $parts ) ) {
			return null;
		}
		// The century is not written; 29 February 1900 is the only date this lets through.
		if ( ! checkdate( (int) $parts[2], (int) $parts[3], 2000 + (int) $parts[1] ) ) {
			return null;
		}
		return 12 === mb_strlen( $rfc ) ? 'moral' : 'fisica';
	}

	/**
	 * The code of what is wrong with an RFC.
	 *
	 * @param string $rfc Normalised.
	 */
	private static function rfc_error( string $rfc ): string {
		if ( in_array( $rfc, self::GENERIC, true ) ) {
			return 'rfc_generic';
		}
		return '' === $rfc || null !== self::person( $rfc ) ? '' : 'rfc_malformed';
	}

	/**
	 * The code of what is wrong with a name.
	 *
	 * @param string $nombre Normalised.
	 */
	private static function nombre_error( string $nombre ): string {
		if ( mb_strlen( $nombre ) > 300 ) {
			return 'nombre_too_long';
		}
		if ( preg_match( '/\||[\p{Cc}\p{Cs}\p{Co}\p{Cn}]/u', $nombre ) ) {
			return 'nombre_characters';
		}
		return in_array( $nombre, self::GENERIC_NAMES, true ) ? 'nombre_generic' : '';
	}

	/**
	 * The code of what is wrong with a postal code. Whether it exists, the hub knows.
	 *
	 * @param string $cp Normalised.
	 */
	private static function cp_error( string $cp ): string {
		return '' === $cp || preg_match( '/^[0-9]{5}$/D', $cp ) ? '' : 'cp_malformed';
	}

	/**
	 * The code of what is wrong with a régimen.
	 *
	 * @param string      $regimen Normalised.
	 * @param string|null $person  "fisica", "moral" or unknown.
	 */
	private static function regimen_error( string $regimen, ?string $person ): string {
		if ( '' === $regimen ) {
			return '';
		}
		$known = Catalogs::regimenes()[ $regimen ] ?? null;
		if ( null === $known ) {
			return 'regimen_unknown';
		}
		return null === $person || $known[ $person ] ? '' : 'regimen_person';
	}

	/**
	 * The code of what is wrong with a use. A wrong régimen is said at its own field.
	 *
	 * @param string      $uso     Normalised.
	 * @param string      $regimen Normalised.
	 * @param string|null $person  "fisica", "moral" or unknown.
	 */
	private static function uso_error( string $uso, string $regimen, ?string $person ): string {
		if ( '' === $uso ) {
			return '';
		}
		$known = Catalogs::usos()[ $uso ] ?? null;
		if ( null === $known ) {
			return 'uso_unknown';
		}
		$judged = isset( Catalogs::regimenes()[ $regimen ] );
		$fits   = ( null === $person || $known[ $person ] ) && ( ! $judged || in_array( $regimen, $known['regimenes'], true ) );
		return $fits ? '' : 'uso_regimen';
	}
}
