<?php
/**
 * WooCommerce → Autofactura.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * Connect, see whether all is well, choose. Everything posted carries a nonce and needs
 * `manage_woocommerce`; secrets are never printed.
 */
final class SettingsPage {

	private const PAGE = 'autofactura-hub';
	private const CAP  = 'manage_woocommerce';

	/** Hook in. */
	public static function start(): void {
		add_action( 'admin_menu', array( self::class, 'menu' ), 60 );
		add_action( 'admin_notices', array( self::class, 'notice' ) );
		add_filter( 'plugin_action_links_' . plugin_basename( AUTOFACTURA_HUB_FILE ), array( self::class, 'action_link' ) );
		foreach ( array( 'connect', 'disconnect', 'save' ) as $action ) {
			add_action( 'admin_post_autofactura_hub_' . $action, array( self::class, $action ) );
		}
	}

	/** In WooCommerce's menu. */
	public static function menu(): void {
		add_submenu_page( 'woocommerce', __( 'Autofactura', 'autofactura-hub' ), __( 'Autofactura', 'autofactura-hub' ), self::CAP, self::PAGE, array( self::class, 'show' ) );
	}

	/**
	 * A link in the list of plug-ins.
	 *
	 * @param string[] $links The others.
	 */
	public static function action_link( $links ) {
		array_unshift( $links, '<a href="' . esc_url( self::url() ) . '">' . esc_html__( 'Settings', 'autofactura-hub' ) . '</a>' );
		return $links;
	}

	/** Say on WooCommerce's screens that the connection is paused. */
	public static function notice(): void {
		$screen     = get_current_screen();
		$connection = current_user_can( self::CAP ) ? Connection::get() : null;
		$ours       = $screen && str_ends_with( $screen->id, self::PAGE );
		if ( ! $connection || ! $connection->is_copy() || $ours || ! $screen || ! in_array( $screen->id, array_merge( wc_get_screen_ids(), array( 'plugins' ) ), true ) ) {
			return;
		}
		echo '<div class="notice notice-warning"><p>' . esc_html__( 'Autofactura is paused: this shop has another address than the one that was connected.', 'autofactura-hub' ) . ' <a href="' . esc_url( self::url() ) . '">' . esc_html__( 'See what to do', 'autofactura-hub' ) . '</a></p></div>';
	}

	/** Posted: connect. */
	public static function connect(): void {
		self::allow( 'connect' );
		// phpcs:disable WordPress.Security.NonceVerification.Missing -- allow() checked it.
		$hub  = isset( $_POST['hub'] ) && is_string( $_POST['hub'] ) ? sanitize_text_field( wp_unslash( $_POST['hub'] ) ) : '';
		$code = isset( $_POST['code'] ) && is_string( $_POST['code'] ) ? sanitize_text_field( wp_unslash( $_POST['code'] ) ) : '';
		// phpcs:enable
		$result = Pairing::connect( $hub, $code );
		if ( is_wp_error( $result ) ) {
			self::back( 'error', $result->get_error_message(), HubAddress::tidy( $hub ) );
		}
		/* translators: %s: the merchant's name */
		self::back( 'success', sprintf( __( 'Connected. Invoices are issued by %s.', 'autofactura-hub' ), $result->merchant ) );
	}

	/** Posted: disconnect. */
	public static function disconnect(): void {
		self::allow( 'disconnect' );
		if ( Pairing::disconnect() ) {
			self::back( 'success', __( 'Disconnected. The hub was told.', 'autofactura-hub' ) );
		}
		self::back( 'warning', __( 'Disconnected here, but the hub did not answer: close the connection there too.', 'autofactura-hub' ) );
	}

	/** Posted: choices. */
	public static function save(): void {
		self::allow( 'save' );
		Settings::save( wp_unslash( $_POST ) ); // phpcs:ignore WordPress.Security.NonceVerification.Missing -- allow() checked it; save() sanitises each field.
		self::back( 'success', __( 'Saved.', 'autofactura-hub' ) );
	}

	/** The page. */
	public static function show(): void {
		if ( ! current_user_can( self::CAP ) ) {
			return;
		}
		$connection = Connection::get();
		echo '<div class="wrap"><h1>' . esc_html__( 'Autofactura', 'autofactura-hub' ) . '</h1>';
		$typed = self::show_message();
		if ( $connection ) {
			self::show_connection( $connection );
		}
		if ( ! $connection || $connection->is_copy() ) {
			self::show_pairing( $typed );
		}
		SettingsForm::show();
		echo '</div>';
	}

	/**
	 * Who may, and that the form was ours. Ends the request otherwise.
	 *
	 * @param string $action Which.
	 */
	private static function allow( string $action ): void {
		if ( ! current_user_can( self::CAP ) ) {
			wp_die( esc_html__( 'You may not do this.', 'autofactura-hub' ), '', array( 'response' => 403 ) );
		}
		check_admin_referer( 'autofactura_hub_' . $action );
	}

	/**
	 * Back to the page with a message; ends the request.
	 *
	 * @param string $kind  "success", "warning" or "error".
	 * @param string $words What happened.
	 * @param string $typed The address to keep in the form.
	 */
	private static function back( string $kind, string $words, string $typed = '' ): never {
		set_transient( 'autofactura_hub_message_' . get_current_user_id(), array( $kind, $words, $typed ), MINUTE_IN_SECONDS );
		wp_safe_redirect( self::url() );
		exit;
	}

	/** Print the message of the last action once; the address then typed is returned. */
	private static function show_message(): string {
		$name    = 'autofactura_hub_message_' . get_current_user_id();
		$message = get_transient( $name );
		if ( ! is_array( $message ) ) {
			return '';
		}
		delete_transient( $name );
		echo '<div class="notice notice-' . esc_attr( $message[0] ) . '" role="' . esc_attr( 'error' === $message[0] ? 'alert' : 'status' ) . '"><p>' . esc_html( $message[1] ) . '</p></div>';
		return (string) $message[2];
	}

	/**
	 * The connection and its health.
	 *
	 * @param Connection $connection The connection.
	 */
	private static function show_connection( Connection $connection ): void {
		$marks = array(
			'good'    => array( 'yes-alt', '#007017', __( 'Good', 'autofactura-hub' ) ),
			'warning' => array( 'warning', '#996800', __( 'Look at this', 'autofactura-hub' ) ),
			'bad'     => array( 'dismiss', '#b32d2e', __( 'Does not work', 'autofactura-hub' ) ),
		);
		echo '<h2>' . esc_html__( 'Connection', 'autofactura-hub' ) . '</h2>';
		/* translators: 1: the merchant's name, 2: the hub's address */
		echo '<p>' . esc_html( sprintf( __( 'Invoices are issued by %1$s, through %2$s.', 'autofactura-hub' ), $connection->merchant, $connection->hub ) ) . '</p>';
		echo '<table class="widefat striped" style="max-width:50em"><tbody>';
		foreach ( Health::findings( $connection ) as list( $level, $what, $do ) ) {
			list( $icon, $color, $name ) = $marks[ $level ];
			echo '<tr><td style="width:2em"><span class="dashicons dashicons-' . esc_attr( $icon ) . '" style="color:' . esc_attr( $color ) . '" aria-hidden="true"></span><span class="screen-reader-text">' . esc_html( $name ) . '</span></td>';
			echo '<td>' . esc_html( $what ) . wp_kses_post( '' === $do ? '' : '<br><em>' . esc_html( $do ) . '</em>' ) . '</td></tr>';
		}
		echo '</tbody></table>';
		self::open_form( 'disconnect' );
		submit_button( __( 'Disconnect', 'autofactura-hub' ), 'secondary', 'submit', true, array( 'onclick' => 'return confirm(' . wp_json_encode( __( 'Disconnect? New orders get no link. Invoices made stay where they are.', 'autofactura-hub' ) ) . ')' ) );
		echo '</form>';
	}

	/**
	 * The form to connect.
	 *
	 * @param string $typed Address of a failed try.
	 */
	private static function show_pairing( string $typed ): void {
		echo '<h2>' . esc_html__( 'Connect to your hub', 'autofactura-hub' ) . '</h2>';
		echo '<p>' . esc_html__( 'Ask your hub for a pairing code (autofactura connection pair, or its panel) and type it here within 30 minutes. The hub gets a REST API key with read and write access to this shop; it shows under WooCommerce → Settings → Advanced → REST API.', 'autofactura-hub' ) . '</p>';
		self::open_form( 'connect' );
		echo '<table class="form-table" role="presentation"><tbody>';
		echo '<tr><th scope="row"><label for="autofactura-hub-address">' . esc_html__( 'Address of the hub', 'autofactura-hub' ) . '</label></th><td><input type="text" inputmode="url" class="regular-text code" id="autofactura-hub-address" name="hub" required placeholder="https://facturas.example.com" value="' . esc_attr( $typed ) . '"></td></tr>';
		echo '<tr><th scope="row"><label for="autofactura-hub-code">' . esc_html__( 'Pairing code', 'autofactura-hub' ) . '</label></th><td><input type="text" class="regular-text code" id="autofactura-hub-code" name="code" required autocomplete="off" autocapitalize="characters" spellcheck="false"></td></tr>';
		echo '</tbody></table>';
		submit_button( __( 'Connect', 'autofactura-hub' ) );
		echo '</form>';
	}

	/**
	 * A form that posts one of our actions.
	 *
	 * @param string $action Which.
	 */
	public static function open_form( string $action ): void {
		echo '<form method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '"><input type="hidden" name="action" value="autofactura_hub_' . esc_attr( $action ) . '">';
		wp_nonce_field( 'autofactura_hub_' . $action );
	}

	/** This page's address. */
	private static function url(): string {
		return admin_url( 'admin.php?page=' . self::PAGE );
	}
}
