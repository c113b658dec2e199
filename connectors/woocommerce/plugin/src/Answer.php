<?php
/**
 * What the hub said.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * A status (0: no answer at all), a JSON object (empty if it was none), and how long to wait.
 */
final class Answer {

	/**
	 * Plain data.
	 *
	 * @param int                  $code        HTTP status, or 0.
	 * @param array<string, mixed> $json        Decoded body.
	 * @param int|null             $retry_after Seconds, from the header.
	 */
	public function __construct(
		public readonly int $code,
		public readonly array $json = array(),
		public readonly ?int $retry_after = null
	) {}

	/** Whether it is a success that holds JSON. */
	public function is_good(): bool {
		return 200 === $this->code && array() !== $this->json;
	}

	/** The hub's words for an error in the language of the reader, "" if it has none. */
	public function message(): string {
		return self::words_of( is_array( $this->json['error'] ?? null ) ? $this->json['error'] : array() );
	}

	/**
	 * The message of a problem in the reader's language.
	 *
	 * @param array<string, mixed> $problem With `message` and `message_es`.
	 * @param string               $name    The field's name in English.
	 */
	public static function words_of( array $problem, string $name = 'message' ): string {
		$spanish = str_starts_with( determine_locale(), 'es' ) ? ( $problem[ $name . '_es' ] ?? '' ) : '';
		$words   = is_string( $spanish ) && '' !== $spanish ? $spanish : ( $problem[ $name ] ?? '' );
		return is_string( $words ) ? mb_substr( sanitize_text_field( $words ), 0, 300 ) : '';
	}
}
