<?php
/**
 * The order's screen.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * The invoice's state and the buyer's link beside an order, for both kinds of order storage.
 */
final class MetaBox {

	private const CACHE = 'autofactura_hub_state_';
	/** States that do not change by themselves within minutes. */
	private const SETTLED = array( 'lista', 'vencida', 'cancelada', 'en_global' );

	/** Hook in. */
	public static function start(): void {
		add_action( 'add_meta_boxes', array( self::class, 'add' ) );
	}

	/** On the screen of orders, whichever it is. */
	public static function add(): void {
		if ( ! Settings::shows( 'admin' ) || ! Connection::get() || ! current_user_can( 'edit_shop_orders' ) ) {
			return;
		}
		$screens = array_unique( array( wc_get_page_screen_id( 'shop-order' ), 'shop_order' ) );
		add_meta_box( 'autofactura-hub', __( 'Invoice (CFDI)', 'autofactura-hub' ), array( self::class, 'show' ), $screens, 'side' );
	}

	/**
	 * The box.
	 *
	 * @param \WP_Post|\WC_Order $shown The order, as the storage has it.
	 */
	public static function show( $shown ): void {
		$order      = $shown instanceof \WC_Order ? $shown : wc_get_order( $shown->ID );
		$connection = Connection::live();
		if ( ! $order instanceof \WC_Order ) {
			return;
		}
		if ( null === $connection ) {
			echo '<p>' . esc_html__( 'Paused: this shop has another address than the one that was connected.', 'autofactura-hub' ) . '</p>';
			return;
		}
		$can  = Invoiceable::of( $order );
		$told = Invoiceable::No === $can && ! $order->get_date_paid() ? array() : self::state( $connection, $order );
		self::show_state( $can, $told );
		self::show_link( $order );
		self::show_data( $order );
	}

	/**
	 * What the hub says, kept for a while so that a screen opened again does not ask again.
	 *
	 * @param Connection $connection The connection.
	 * @param \WC_Order  $order      The order.
	 * @return array<string, string> `estado` and `uuid`; empty if the hub gave no answer.
	 */
	private static function state( Connection $connection, \WC_Order $order ): array {
		$kept = get_transient( self::CACHE . $order->get_id() );
		if ( is_array( $kept ) ) {
			return $kept;
		}
		$answer = HubClient::order( $connection, $order->get_id() );
		$told   = array();
		if ( $answer->is_good() && is_string( $answer->json['estado'] ?? null ) ) {
			$told['estado'] = $answer->json['estado'];
			$told['uuid']   = is_string( $answer->json['uuid'] ?? null ) ? $answer->json['uuid'] : '';
		}
		$minutes = in_array( $told['estado'] ?? '', self::SETTLED, true ) ? 10 : 1;
		set_transient( self::CACHE . $order->get_id(), $told, $minutes * MINUTE_IN_SECONDS );
		return $told;
	}

	/**
	 * The state in words.
	 *
	 * @param Invoiceable           $can  The shop's opinion.
	 * @param array<string, string> $told The hub's.
	 */
	private static function show_state( Invoiceable $can, array $told ): void {
		if ( isset( $told['estado'] ) ) {
			echo '<p><strong>' . esc_html( Wording::state( $told['estado'] ) ) . '</strong></p>';
			if ( '' !== $told['uuid'] ) {
				echo '<p>UUID<br><code style="font-size:11px;word-break:break-all">' . esc_html( $told['uuid'] ) . '</code></p>';
			}
			return;
		}
		$text = match ( $can ) {
			Invoiceable::Yes     => __( 'The hub did not answer just now. The buyer\'s link works as soon as it does.', 'autofactura-hub' ),
			Invoiceable::Waiting => __( 'Can be invoiced once it is paid.', 'autofactura-hub' ),
			Invoiceable::No      => __( 'Nothing to invoice in this order.', 'autofactura-hub' ),
		};
		echo '<p>' . esc_html( $text ) . '</p>';
	}

	/**
	 * The link, to open and to copy.
	 *
	 * @param \WC_Order $order The order.
	 */
	private static function show_link( \WC_Order $order ): void {
		$link = Places::link( $order );
		if ( null === $link ) {
			return;
		}
		$label = __( 'Link for the buyer', 'autofactura-hub' );
		echo '<p><a class="button" href="' . esc_url( $link ) . '" target="_blank" rel="noopener noreferrer">' . esc_html( Wording::link( 'admin' ) ) . '</a></p>';
		echo '<p><label for="autofactura-hub-link">' . esc_html( $label ) . '</label><input type="text" readonly class="widefat" id="autofactura-hub-link" value="' . esc_attr( $link ) . '" onfocus="this.select()"></p>';
	}

	/**
	 * The fiscal data the buyer left at the checkout.
	 *
	 * @param \WC_Order $order The order.
	 */
	private static function show_data( \WC_Order $order ): void {
		$rows = '';
		foreach ( FiscalRules::FIELDS as $field ) {
			$value = $order->get_meta( CheckoutFields::META . $field );
			if ( is_string( $value ) && '' !== $value ) {
				$listed = in_array( $field, array( 'regimen', 'uso' ), true ) ? CheckoutFields::options( $field ) : array();
				$value  = $listed[ $value ] ?? $value;
				$rows  .= '<dt>' . esc_html( Wording::field( $field ) ) . '</dt><dd style="margin:0 0 .5em">' . esc_html( $value ) . '</dd>';
			}
		}
		if ( '' !== $rows ) {
			echo '<hr><p>' . esc_html__( 'Tax data of the checkout', 'autofactura-hub' ) . '</p><dl>' . wp_kses_post( $rows ) . '</dl>';
		}
	}
}
