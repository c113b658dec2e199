<?php
/**
 * The hub this shop is paired with.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * What pairing left behind. The secrets are for signing alone and are printed nowhere.
 */
final class Connection {

	/**
	 * Made by `from_answer` or read by `get`.
	 *
	 * @param string $id             The hub's name for this shop.
	 * @param string $hub            The hub's address without a slash at its end.
	 * @param string $webhook_url    Where deliveries go.
	 * @param string $webhook_secret Signs deliveries and requests.
	 * @param string $link_secret    Signs links.
	 * @param string $merchant       Who invoices, as shown to people.
	 * @param string $store_url      The shop's address at pairing.
	 * @param int    $key_id         The REST API key made for the hub.
	 * @param int    $user_id        Who paired; orders are read as this user.
	 */
	private function __construct(
		public readonly string $id,
		public readonly string $hub,
		public readonly string $webhook_url,
		public readonly string $webhook_secret,
		public readonly string $link_secret,
		public readonly string $merchant,
		public readonly string $store_url,
		public readonly int $key_id,
		public readonly int $user_id
	) {}

	/** The connection, or null if there is none. */
	public static function get(): ?self {
		$kept = get_option( Settings::CONNECTION );
		if ( ! is_array( $kept ) ) {
			return null;
		}
		return self::from_answer( $kept, self::readable( (string) ( $kept['store_url'] ?? '' ) ), (int) ( $kept['key_id'] ?? 0 ), (int) ( $kept['user_id'] ?? 0 ) );
	}

	/** The connection, but null on a copy of the shop: copies must neither link nor deliver. */
	public static function live(): ?self {
		$connection = self::get();
		return $connection && ! $connection->is_copy() ? $connection : null;
	}

	/**
	 * A connection out of the hub's answer; null if the answer is not one.
	 *
	 * @param array<string, mixed> $answer    Decoded JSON.
	 * @param string               $store_url The shop's address as told to the hub.
	 * @param int                  $key_id    The key handed over.
	 * @param int                  $user_id   Whose key it is.
	 */
	public static function from_answer( array $answer, string $store_url, int $key_id, int $user_id ): ?self {
		$text = static fn ( string $name ): string => is_string( $answer[ $name ] ?? null ) ? $answer[ $name ] : '';
		$hub  = untrailingslashit( $text( 'hub' ) );
		$sane = HubAddress::usable( $hub )
			&& str_starts_with( $text( 'webhook_url' ), $hub . '/' )
			&& preg_match( '/^[A-Za-z0-9_-]{1,64}$/D', $text( 'connection' ) )
			&& preg_match( '/^[A-Za-z0-9]{20,128}$/D', $text( 'webhook_secret' ) )
			&& preg_match( '/^[A-Za-z0-9_-]{32,128}$/D', $text( 'link_secret' ) )
			&& '' !== $store_url;
		if ( ! $sane ) {
			return null;
		}
		return new self(
			$text( 'connection' ),
			$hub,
			$text( 'webhook_url' ),
			$text( 'webhook_secret' ),
			$text( 'link_secret' ),
			sanitize_text_field( $text( 'merchant' ) ),
			$store_url,
			$key_id,
			$user_id
		);
	}

	/** Keep it in place of another. */
	public function save(): void {
		update_option(
			Settings::CONNECTION,
			array(
				'connection'     => $this->id,
				'hub'            => $this->hub,
				'webhook_url'    => $this->webhook_url,
				'webhook_secret' => $this->webhook_secret,
				'link_secret'    => $this->link_secret,
				'merchant'       => $this->merchant,
				// Whoever makes a copy of a shop replaces its address in the whole database: not in here.
				'store_url'      => bin2hex( $this->store_url ),
				'key_id'         => $this->key_id,
				'user_id'        => $this->user_id,
			)
		);
		delete_option( Settings::TROUBLE );
	}

	/** Whether this is another shop than the one that was paired: a staging copy, or one that moved. */
	public function is_copy(): bool {
		return self::place( self::store() ) !== self::place( $this->store_url );
	}

	/**
	 * This shop's address as the hub knows it: scheme, host and path, no slash at its end.
	 *
	 * Not home_url(), to which plug-ins for several languages add the language of the page.
	 */
	public static function store(): string {
		$home = untrailingslashit( (string) get_option( 'home' ) );
		return is_ssl() ? (string) preg_replace( '#^http://#i', 'https://', $home ) : $home;
	}

	/**
	 * An address without what may differ within one shop: a page is asked for by https, its cron by http.
	 *
	 * @param string $url Address.
	 */
	private static function place( string $url ): string {
		return (string) preg_replace( '#^https?://(www\.)?#i', '', $url );
	}

	/**
	 * An address out of the option.
	 *
	 * @param string $kept As `save` wrote it, or plain.
	 */
	private static function readable( string $kept ): string {
		return ctype_xdigit( $kept ) && 0 === strlen( $kept ) % 2 ? (string) hex2bin( $kept ) : $kept;
	}

	/**
	 * The link of an order, computed here alone: it works before the hub has heard of the order.
	 *
	 * @param \WC_Order $order A saved order.
	 */
	public function link( \WC_Order $order ): string {
		$proof = Signature::of_link( $this->link_secret, $order->get_id(), $order->get_order_key() );
		return $this->hub . '/s/woocommerce/' . $this->id . '/' . $order->get_id() . '?c=' . $proof;
	}
}
