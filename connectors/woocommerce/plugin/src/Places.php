<?php
/**
 * Where buyers find the link.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * Order received page, My account, mails, a shortcode. A page shows the link once, whichever of its
 * hooks comes first: block and classic templates have different ones.
 */
final class Places {

	/** Mails that follow a payment. Never those to the shop. */
	private const MAILS = array(
		'customer_processing_order',
		'customer_completed_order',
		'customer_invoice',
		'customer_processing_renewal_order',
		'customer_completed_renewal_order',
		'customer_renewal_invoice',
		'customer_processing_switch_order',
		'customer_completed_switch_order',
	);

	/**
	 * Orders whose link this page has shown.
	 *
	 * @var array<int, true>
	 */
	private static array $shown = array();

	/** Hook in. */
	public static function start(): void {
		// Before the order's details (10).
		add_action( 'woocommerce_thankyou', array( self::class, 'on_thankyou' ), 5 );
		add_action( 'woocommerce_order_details_after_order_table', array( self::class, 'on_details' ) );
		add_filter( 'woocommerce_my_account_my_orders_actions', array( self::class, 'in_list' ), 10, 2 );
		add_action( 'woocommerce_email_after_order_table', array( self::class, 'in_mail' ), 10, 4 );
		add_shortcode( 'autofactura_link', array( self::class, 'shortcode' ) );
	}

	/**
	 * The order received page.
	 *
	 * @param int $order_id The order.
	 */
	public static function on_thankyou( $order_id ): void {
		$order = wc_get_order( $order_id );
		if ( $order instanceof \WC_Order ) {
			self::show( $order, 'thankyou' );
		}
	}

	/**
	 * The order's details, on the order received page or in My account.
	 *
	 * @param \WC_Order $order The order.
	 */
	public static function on_details( $order ): void {
		if ( $order instanceof \WC_Order ) {
			self::show( $order, is_order_received_page() ? 'thankyou' : 'order' );
		}
	}

	/**
	 * An action in the list of orders.
	 *
	 * @param array<string, array<string, string>> $actions The others.
	 * @param \WC_Order                            $order   The order.
	 */
	public static function in_list( $actions, $order ) {
		// The order's own page lists the actions too; it has the link already.
		$listed = ! is_view_order_page() && ! is_order_received_page();
		$link   = $listed && Settings::shows( 'list' ) ? self::link( $order ) : null;
		if ( null !== $link ) {
			$actions['autofactura-hub'] = array(
				'url'        => $link,
				'name'       => Wording::link( 'list' ),
				/* translators: %s: order number */
				'aria-label' => sprintf( __( 'Get the invoice of order number %s', 'autofactura-hub' ), $order->get_order_number() ),
			);
		}
		return $actions;
	}

	/**
	 * A mail, HTML or plain.
	 *
	 * @param \WC_Order      $order    The order.
	 * @param bool           $to_admin Whether the shop gets it.
	 * @param bool           $plain    Whether it is plain text.
	 * @param \WC_Email|null $email    Which mail; old templates leave it out.
	 */
	public static function in_mail( $order, $to_admin = false, $plain = false, $email = null ): void {
		$mails = (array) apply_filters( 'autofactura_hub_mails', self::MAILS );
		if ( $to_admin || ! Settings::shows( 'mail' ) || ! is_object( $email ) || ! in_array( $email->id, $mails, true ) ) {
			return;
		}
		$link = $order instanceof \WC_Order ? self::link( $order ) : null;
		if ( null === $link ) {
			return;
		}
		if ( $plain ) {
			echo "\n" . esc_html( wp_specialchars_decode( Wording::link( 'mail' ), ENT_QUOTES ) ) . ":\n" . esc_url_raw( $link ) . "\n\n";
			return;
		}
		echo '<div class="autofactura-hub-mail" style="margin-bottom:40px;"><h2>' . esc_html__( 'Your invoice (CFDI)', 'autofactura-hub' ) . '</h2>';
		echo '<p>' . esc_html__( 'If you need an invoice, ask for it with your tax data. It takes a minute.', 'autofactura-hub' ) . '</p>';
		echo '<p><a class="link" href="' . esc_url( $link ) . '"><strong>' . esc_html( Wording::link( 'mail' ) ) . '</strong></a></p></div>';
	}

	/**
	 * The link of the order that this page is about, for templates without our hooks.
	 *
	 * Whose order it is was proved by the address or the session; no attribute can name another.
	 */
	public static function shortcode(): string {
		$order = self::order_of_page();
		$link  = $order ? self::link( $order ) : null;
		return null === $link ? '' : self::button( $link, Wording::link( 'thankyou' ) );
	}

	/**
	 * The link if the order can be invoiced here and now.
	 *
	 * @param \WC_Order $order The order.
	 */
	public static function link( $order ): ?string {
		$connection = Connection::live();
		return $connection && $order instanceof \WC_Order && Invoiceable::Yes === Invoiceable::of( $order ) ? $connection->link( $order ) : null;
	}

	/**
	 * Print the section once a page.
	 *
	 * @param \WC_Order $order The order.
	 * @param string    $place "thankyou" or "order".
	 */
	private static function show( \WC_Order $order, string $place ): void {
		if ( isset( self::$shown[ $order->get_id() ] ) || ! Settings::shows( $place ) || ! Connection::live() ) {
			return;
		}
		$can = Invoiceable::of( $order );
		if ( Invoiceable::No === $can || ( Invoiceable::Waiting === $can && 'thankyou' !== $place ) ) {
			return;
		}
		self::$shown[ $order->get_id() ] = true;
		echo '<section class="autofactura-hub-invoice" style="margin-block:1.5em 2.5em"><h2>' . esc_html__( 'Your invoice (CFDI)', 'autofactura-hub' ) . '</h2>';
		if ( Invoiceable::Waiting === $can ) {
			echo '<p>' . esc_html__( 'Once your payment is confirmed you can get your invoice: the link comes with our mail.', 'autofactura-hub' ) . '</p>';
		} else {
			echo '<p>' . esc_html__( 'If you need an invoice, ask for it with your tax data. It takes a minute.', 'autofactura-hub' ) . '</p>';
			echo wp_kses_post( '<p>' . self::button( (string) self::link( $order ), Wording::link( $place ) ) . '</p>' );
		}
		echo '</section>';
	}

	/**
	 * A link that looks like the theme's buttons.
	 *
	 * @param string $link Address.
	 * @param string $text Words.
	 */
	private static function button( string $link, string $text ): string {
		$theme = function_exists( 'wc_wp_theme_get_element_class_name' ) ? wc_wp_theme_get_element_class_name( 'button' ) : '';
		return '<a class="button autofactura-hub-link ' . esc_attr( $theme ) . '" href="' . esc_url( $link ) . '">' . esc_html( $text ) . '</a>';
	}

	/** The order of the order received or view order page, if this visitor may see it. */
	private static function order_of_page(): ?\WC_Order {
		$order = wc_get_order( max( absint( get_query_var( 'order-received' ) ), absint( get_query_var( 'view-order' ) ) ) );
		if ( ! $order instanceof \WC_Order ) {
			return null;
		}
		// phpcs:ignore WordPress.Security.NonceVerification.Recommended -- the order's key is the proof.
		$key = isset( $_GET['key'] ) ? sanitize_text_field( wp_unslash( $_GET['key'] ) ) : '';
		if ( is_user_logged_in() && current_user_can( 'view_order', $order->get_id() ) ) {
			return $order;
		}
		// A guest proves it by the key, but as WooCommerce itself has it, only for some minutes.
		$grace   = (int) apply_filters( 'woocommerce_order_email_verification_grace_period', 10 * MINUTE_IN_SECONDS, $order, 'order-received' );
		$created = $order->get_date_created();
		$fresh   = $created && time() - $created->getTimestamp() <= $grace;
		return $fresh && ! $order->get_customer_id() && hash_equals( $order->get_order_key(), $key ) ? $order : null;
	}
}
