<?php
/**
 * When to try again.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * Soon at first, then patiently, for three days.
 */
final class Backoff {

	public const GIVES_UP_AFTER = 3 * 86400;

	private const WAITS   = array( 60, 300, 900, 3600 );
	private const LONGEST = 6 * 3600;

	/**
	 * Seconds until the next try; null when it is no longer worth it (the hub's own sweep finds the order).
	 *
	 * @param int      $failures  How many tries failed, from 1.
	 * @param int      $elapsed   Seconds since the first of them.
	 * @param int|null $asked_for Seconds the hub asked to wait (Retry-After).
	 */
	public static function wait( int $failures, int $elapsed, ?int $asked_for = null ): ?int {
		if ( $elapsed >= self::GIVES_UP_AFTER ) {
			return null;
		}
		$wait = self::WAITS[ max( 1, $failures ) - 1 ] ?? self::LONGEST;
		return max( $wait, min( (int) $asked_for, self::LONGEST ) );
	}

	/**
	 * What an answer of the hub asks for: "done", "again", "smaller" or "stop".
	 *
	 * @param int $code HTTP status, 0 if there was no answer.
	 */
	public static function verdict( int $code ): string {
		return match ( true ) {
			$code >= 200 && $code < 300         => 'done',
			413 === $code                       => 'smaller',
			0 === $code || $code >= 500         => 'again',
			in_array( $code, array( 408, 425, 429 ), true ) => 'again',
			// A redirect is a wrong address; following it would carry the order elsewhere.
			default                             => 'stop',
		};
	}
}
