<?php
/**
 * SAT's catalogs that a checkout needs.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * Read once a request from data/catalogs.php, which is generated from the hub's own tables.
 */
final class Catalogs {

	/**
	 * The file's content.
	 *
	 * @var array<string, array<string, array<string, mixed>>>|null
	 */
	private static ?array $read = null;

	/**
	 * Clave => nombre, fisica, moral.
	 *
	 * @return array<string, array{nombre: string, fisica: bool, moral: bool}>
	 */
	public static function regimenes(): array {
		return self::read()['regimenes'];
	}

	/**
	 * Clave => nombre, fisica, moral, regimenes; only uses that a sale can have.
	 *
	 * @return array<string, array{nombre: string, fisica: bool, moral: bool, regimenes: string[]}>
	 */
	public static function usos(): array {
		return self::read()['usos'];
	}

	/**
	 * The file, read once. A key of digits alone becomes an integer in PHP; comparisons here are of strings.
	 *
	 * @return array<string, array<string, array<string, mixed>>>
	 */
	private static function read(): array {
		if ( null === self::$read ) {
			self::$read = require dirname( __DIR__ ) . '/data/catalogs.php';
		}
		return self::$read;
	}
}
