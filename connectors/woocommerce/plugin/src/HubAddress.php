<?php
/**
 * Which addresses a hub may have.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * Secrets and buyers' data travel there, so it is https; AUTOFACTURA_ALLOW_HTTP in wp-config.php
 * lets it be anything, for trying things out on one machine.
 */
final class HubAddress {

	/**
	 * Whether an address can be used as it is.
	 *
	 * @param string $url No slash at its end.
	 */
	public static function usable( string $url ): bool {
		$parts = wp_parse_url( $url );
		if ( ! is_array( $parts ) || empty( $parts['host'] ) || strlen( $url ) > 500 ) {
			return false;
		}
		if ( isset( $parts['user'] ) || isset( $parts['pass'] ) || isset( $parts['query'] ) || isset( $parts['fragment'] ) ) {
			return false;
		}
		$schemes = self::http_allowed() ? array( 'https', 'http' ) : array( 'https' );
		return in_array( $parts['scheme'] ?? '', $schemes, true ) && esc_url_raw( $url, $schemes ) === $url;
	}

	/**
	 * What a merchant typed, put in order: blanks and slashes at the ends, a missing scheme.
	 *
	 * @param string $typed Not trusted.
	 */
	public static function tidy( string $typed ): string {
		$typed = untrailingslashit( trim( $typed ) );
		return '' !== $typed && ! preg_match( '#^[a-z]+://#i', $typed ) ? 'https://' . $typed : $typed;
	}

	/** Whether plain http and private addresses are let through. */
	public static function http_allowed(): bool {
		return defined( 'AUTOFACTURA_ALLOW_HTTP' ) && AUTOFACTURA_ALLOW_HTTP;
	}
}
