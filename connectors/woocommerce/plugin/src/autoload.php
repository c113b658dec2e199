<?php
/**
 * PSR-4 for Autofactura\Hub, without Composer.
 *
 * @package Autofactura\Hub
 */

defined( 'ABSPATH' ) || exit;

spl_autoload_register(
	static function ( $name ) {
		if ( str_starts_with( $name, 'Autofactura\\Hub\\' ) ) {
			$file = __DIR__ . '/' . str_replace( '\\', '/', substr( $name, strlen( 'Autofactura\\Hub\\' ) ) ) . '.php';
			if ( is_file( $file ) ) {
				require_once $file;
			}
		}
	}
);
